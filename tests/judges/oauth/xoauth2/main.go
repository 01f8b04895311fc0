// main.go - golang.org/x/oauth2 asks evdbd for tokens.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

var api, secret = os.Getenv("EVDB_API"), os.Getenv("EVDB_SECRET")

func said(text string) { fmt.Println("x/oauth2: " + text) }

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func get(client *http.Client, where string) []byte {
	answer, err := client.Get(where)
	must(err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	must(err)
	if answer.StatusCode != 200 {
		must(fmt.Errorf("%s: %s %s", where, answer.Status, body))
	}
	return body
}

func main() {
	ctx := context.Background()
	var as struct {
		Authorize string `json:"authorization_endpoint"`
		Token     string `json:"token_endpoint"`
	}
	must(json.Unmarshal(get(http.DefaultClient, os.Getenv("EVDB_ISSUER")+"/.well-known/oauth-authorization-server"), &as))
	for style, name := range map[oauth2.AuthStyle]string{oauth2.AuthStyleInHeader: "client_secret_basic", oauth2.AuthStyleInParams: "client_secret_post"} {
		config := clientcredentials.Config{ClientID: "judge", ClientSecret: secret, TokenURL: as.Token, Scopes: []string{"read"}, AuthStyle: style}
		get(config.Client(ctx), api+"/api/v1/stores")
		said("client_credentials, " + name)
	}

	open := oauth2.Config{ClientID: "judge-public", RedirectURL: "http://127.0.0.1:1234/cb", Scopes: []string{"read"},
		Endpoint: oauth2.Endpoint{AuthURL: as.Authorize, TokenURL: as.Token, AuthStyle: oauth2.AuthStyleInParams}}
	verifier := oauth2.GenerateVerifier()
	where := open.AuthCodeURL("a state", oauth2.S256ChallengeOption(verifier))
	back, err := url.Parse(string(get(http.DefaultClient, os.Getenv("EVDB_BROWSER")+"?url="+url.QueryEscape(where))))
	must(err)
	if back.Query().Get("state") != "a state" || back.Query().Get("iss") != os.Getenv("EVDB_ISSUER") {
		must(fmt.Errorf("state or iss is not in %s", back))
	}
	token, err := open.Exchange(ctx, back.Query().Get("code"), oauth2.VerifierOption(verifier))
	must(err)
	get(open.Client(ctx, token), api+"/api/v1/stores")
	said("authorization_code with PKCE, a public client")
	renewed, err := open.TokenSource(ctx, &oauth2.Token{RefreshToken: token.RefreshToken}).Token()
	must(err)
	get(open.Client(ctx, renewed), api+"/api/v1/stores")
	said("refresh_token")
	var refused *oauth2.RetrieveError
	if _, err = open.TokenSource(ctx, &oauth2.Token{RefreshToken: token.RefreshToken}).Token(); !errors.As(err, &refused) || refused.ErrorCode != "invalid_grant" {
		must(fmt.Errorf("a refresh token was good twice: %v", err))
	}
	said("a refresh token used twice is refused")
}
