// main.go - the official Go client talks to `evdb mcp` and to evdbd, in both of its eras. Prints a line for each dialogue that went as it should.
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
	"os/exec"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/modelcontextprotocol/go-sdk/auth"
	"github.com/modelcontextprotocol/go-sdk/auth/extauth"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/modelcontextprotocol/go-sdk/oauthex"
)

type object = map[string]any

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func check(good bool, format string, what ...any) {
	if !good {
		must(fmt.Errorf(format, what...))
	}
}

// watched keeps what was asked, and what came of it.
type watched struct {
	lock sync.Mutex
	seen []string
}

func (w *watched) RoundTrip(request *http.Request) (*http.Response, error) {
	answer, err := http.DefaultTransport.RoundTrip(request)
	if err == nil {
		w.lock.Lock()
		w.seen = append(w.seen, fmt.Sprintf("%s %s %d", request.Method, request.URL.Path, answer.StatusCode))
		w.lock.Unlock()
	}
	return answer, err
}

func (w *watched) times(what string) (n int) {
	for _, each := range w.seen {
		if each == what {
			n++
		}
	}
	return
}

// foundItsWay: refused without a token; told where to ask; and told once more that reading is not enough for a write.
func (w *watched) foundItsWay() {
	w.lock.Lock()
	defer w.lock.Unlock()
	resource, issuer := "GET /.well-known/oauth-protected-resource/mcp 200", "GET /.well-known/oauth-authorization-server 200"
	check(w.seen[0] == "POST /mcp 401" && slices.Index(w.seen, resource) < slices.Index(w.seen, issuer) && w.times(resource) > 0 &&
		w.times("POST /mcp 403") == 1 && w.times("POST /oauth/token 200") == 2, "not the way to a token: %q", w.seen)
}

func fails(err error, code int64) {
	var told *jsonrpc.Error
	check(errors.As(err, &told) && (code == 0 || told.Code == code), "what is not there was found, or: %v", err)
}

func readResources(ctx context.Context, session *mcp.ClientSession, store string) {
	uri := "evdb://stores/" + store
	var uris, templates []string
	for resource, err := range session.Resources(ctx, nil) {
		must(err)
		uris = append(uris, resource.URI)
	}
	for template, err := range session.ResourceTemplates(ctx, nil) {
		must(err)
		templates = append(templates, template.URITemplate)
	}
	check(slices.Contains(uris, uri) && slices.Contains(templates, "evdb://stores/{name}/records/{id}"), "%q %q", uris, templates)
	record, err := session.ReadResource(ctx, &mcp.ReadResourceParams{URI: uri + "/records/doc7"})
	must(err)
	var said struct{ Metadata object }
	must(json.Unmarshal([]byte(record.Contents[0].Text), &said))
	check(said.Metadata["n"] == 7.0, "%v", said)
	_, err = session.ReadResource(ctx, &mcp.ReadResourceParams{URI: uri + "-that-is-not-there"})
	fails(err, 0)
	completed, err := session.Complete(ctx, &mcp.CompleteParams{Ref: &mcp.CompleteReference{Type: "ref/resource", URI: "evdb://stores/{name}"},
		Argument: mcp.CompleteParamsArgument{Name: "name", Value: store[:len(store)-1]}})
	must(err)
	check(slices.Contains(completed.Completion.Values, store), "%q", completed.Completion.Values)
}

func readPrompts(ctx context.Context, session *mcp.ClientSession, store string) {
	count := 0
	for prompt, err := range session.Prompts(ctx, nil) {
		must(err)
		words := map[string]string{}
		for _, argument := range prompt.Arguments {
			words[argument.Name] = store
		}
		got, err := session.GetPrompt(ctx, &mcp.GetPromptParams{Name: prompt.Name, Arguments: words})
		must(err)
		check(len(got.Messages) > 0, "%s says nothing", prompt.Name)
		count++
	}
	check(count > 0, "no prompts")
	_, err := session.GetPrompt(ctx, &mcp.GetPromptParams{Name: "no_such_prompt"})
	fails(err, jsonrpc.CodeInvalidParams)
}

func use(ctx context.Context, session *mcp.ClientSession, store string) {
	call := func(tool string, arguments object) *mcp.CallToolResult {
		result, err := session.CallTool(ctx, &mcp.CallToolParams{Name: tool, Arguments: arguments})
		must(err)
		return result
	}
	search := func(filter object) (ids []string) {
		reply := call("search_vectors", object{"store": store, "vector": []float64{7, 0.5}, "k": 3, "filter": filter}).StructuredContent
		for _, hit := range reply.(object)["results"].([]any) {
			ids = append(ids, hit.(object)["id"].(string))
		}
		return
	}
	tools := map[string]*mcp.Tool{}
	for tool, err := range session.Tools(ctx, nil) {
		must(err)
		tools[tool.Name] = tool
	}
	check(tools["search_vectors"].Annotations.ReadOnlyHint && *tools["drop_store"].Annotations.DestructiveHint, "annotations")
	created := call("create_store", object{"name": store, "metric": "euclidean"})
	check(created.StructuredContent.(object)["name"] == store, "%v", created)
	for i := range 20 {
		call("insert_vector", object{"store": store, "id": fmt.Sprint("doc", i), "vector": []float64{float64(i), 0.5}, "metadata": object{"n": i}})
	}
	all, some := search(object{}), search(object{"n": object{"$gt": 10}})
	check(len(all) == 3 && all[0] == "doc7" && slices.Equal(some, []string{"doc11", "doc12", "doc13"}), "%q %q", all, some)
	wrong := call("search_vectors", object{"store": store, "vector": []float64{1, 2, 3}})
	check(wrong.IsError && strings.Contains(wrong.Content[0].(*mcp.TextContent).Text, "3"), "%v", wrong)
	_, err := session.CallTool(ctx, &mcp.CallToolParams{Name: "no_such_tool"})
	fails(err, jsonrpc.CodeInvalidParams)
	announced := session.InitializeResult().Capabilities
	check(announced.Resources != nil && announced.Prompts != nil && announced.Completions != nil, "%v", announced)
	readResources(ctx, session, store)
	readPrompts(ctx, session, store)
	dropped := call("drop_store", object{"store": store}).StructuredContent
	check(reflect.DeepEqual(dropped, object{"dropped": store}), "%v", dropped)
}

func talk(transport mcp.Transport, version, name string) {
	ctx := context.Background()
	client := mcp.NewClient(&mcp.Implementation{Name: "judge", Version: "1"}, nil)
	session, err := client.Connect(ctx, transport, &mcp.ClientSessionOptions{ProtocolVersion: version})
	must(err)
	check(session.InitializeResult().ProtocolVersion == version, "%s is spoken, not %s", session.InitializeResult().ProtocolVersion, version)
	use(ctx, session, "go-"+version+"-"+name)
	must(session.Close())
	fmt.Printf("go %s: %s\n", version, name)
}

// browse asks the person with the browser.
func browse(ctx context.Context, args *auth.AuthorizationArgs) (*auth.AuthorizationResult, error) {
	answer, err := http.Get(os.Getenv("EVDB_BROWSER") + "?url=" + url.QueryEscape(args.URL))
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	place, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, err
	}
	back, err := url.Parse(string(place))
	if err != nil {
		return nil, err
	}
	said := back.Query()
	return &auth.AuthorizationResult{Code: said.Get("code"), State: said.Get("state"), Iss: said.Get("iss")}, nil
}

func asClient(client *http.Client) (auth.OAuthHandler, error) {
	credentials := &oauthex.ClientCredentials{ClientID: "judge", Issuer: os.Getenv("EVDB_ISSUER"),
		ClientSecretAuth: &oauthex.ClientSecretAuth{ClientSecret: os.Getenv("EVDB_SECRET")}}
	return extauth.NewClientCredentialsHandler(&extauth.ClientCredentialsHandlerConfig{Credentials: credentials, HTTPClient: client})
}

func asPerson(client *http.Client) (auth.OAuthHandler, error) {
	return auth.NewAuthorizationCodeHandler(&auth.AuthorizationCodeHandlerConfig{
		PreregisteredClient: &oauthex.ClientCredentials{ClientID: "judge-public", Issuer: os.Getenv("EVDB_ISSUER")},
		RedirectURL:         "http://127.0.0.1:1234/cb", AuthorizationCodeFetcher: browse, Client: client})
}

func main() {
	for _, version := range []string{"2025-11-25", "2026-07-28"} {
		directory, err := os.MkdirTemp("", "evdb-")
		must(err)
		talk(&mcp.CommandTransport{Command: exec.Command(os.Getenv("EVDB"), "mcp", "-d", directory+"/data")}, version, "stdio")

		for name, asking := range map[string]func(*http.Client) (auth.OAuthHandler, error){"client_credentials": asClient, "authorization_code": asPerson} {
			watch := &watched{}
			client := &http.Client{Transport: watch}
			handler, err := asking(client)
			must(err)
			talk(&mcp.StreamableClientTransport{Endpoint: os.Getenv("EVDB_MCP_URL"), HTTPClient: client, OAuthHandler: handler}, version, name)
			watch.foundItsWay()
		}
	}
}
