// oauth4webapi.mjs - npm's oauth4webapi asks evdbd for tokens by each grant and each method, and looks at them as a resource server would.
import { createRequire } from 'node:module'
import { readFileSync } from 'node:fs'
import assert from 'node:assert'
import { pathToFileURL } from 'node:url'
const require = createRequire(pathToFileURL(process.env.EVDB_JUDGES + '/'))
const oauth = await import(pathToFileURL(require.resolve('oauth4webapi')))
const http = { [oauth.allowInsecureRequests]: true } // on loopback
const issuer = new URL(process.env.EVDB_ISSUER), api = process.env.EVDB_API, secret = process.env.EVDB_SECRET
const said = text => console.log('oauth4webapi: ' + text)

const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...http }))
assert(as.authorization_response_iss_parameter_supported === true)
assert.deepEqual(as.code_challenge_methods_supported, ['S256'])
said('metadata (RFC 8414)')

const resource = await oauth.processResourceDiscoveryResponse(new URL(process.env.EVDB_RESOURCE),
    await oauth.resourceDiscoveryRequest(new URL(process.env.EVDB_RESOURCE), http))
assert(resource.authorization_servers.includes(as.issuer))
said('metadata of a resource (RFC 9728)')

async function use(token, status = 200) {
    const answer = await oauth.protectedResourceRequest(token, 'GET', new URL(api + '/api/v1/stores'), undefined, undefined, http)
        .catch(error => error.response ?? error.cause?.response ?? { status: error.status })
    assert.equal(answer.status, status)
}

async function credentials(client, proof) {
    const answer = await oauth.clientCredentialsGrantRequest(as, client, proof, new URLSearchParams({ scope: 'read' }), http)
    const token = await oauth.processClientCredentialsResponse(as, client, answer)
    assert.equal(token.token_type, 'bearer')
    await use(token.access_token)
    return token
}
const client = { client_id: 'judge' }
await credentials(client, oauth.ClientSecretBasic(secret))
said('client_credentials, client_secret_basic')
const token = await credentials(client, oauth.ClientSecretPost(secret))
said('client_credentials, client_secret_post')

const request = new Request(api + '/api/v1/stores', { headers: { Authorization: 'Bearer ' + token.access_token } })
const { payload } = { payload: await oauth.validateJwtAccessToken(as, request, process.env.EVDB_AUDIENCE, http) }
assert.equal(payload.client_id, 'judge')
said('an access token is a JWT of RFC 9068 under a key of the JWKS')

for (const [kind, algorithm] of [['es256', { name: 'ECDSA', namedCurve: 'P-256' }], ['rs256', { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }]]) {
    const pem = readFileSync(process.env[`EVDB_KEY_${kind.toUpperCase()}`], 'latin1').replace(/-----[^-]+-----|\s/g, '')
    const key = await crypto.subtle.importKey('pkcs8', Buffer.from(pem, 'base64'), algorithm, false, ['sign'])
    await credentials({ client_id: 'judge-' + kind }, oauth.PrivateKeyJwt({ key, kid: kind }))
    said(`client_credentials, private_key_jwt, ${kind.toUpperCase()}`)
}

async function authorize(client, proof, redirect, more = {}) {
    const verifier = oauth.generateRandomCodeVerifier(), state = oauth.generateRandomState()
    const url = new URL(as.authorization_endpoint)
    url.search = new URLSearchParams({ client_id: client.client_id, redirect_uri: redirect, response_type: 'code', scope: 'read', state,
        code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256', ...more })
    const back = await (await fetch(process.env.EVDB_BROWSER + '?url=' + encodeURIComponent(url))).text()
    const parameters = oauth.validateAuthResponse(as, client, new URL(back), state)
    const answer = await oauth.authorizationCodeGrantRequest(as, client, proof, parameters, redirect, verifier, http)
    return { token: await oauth.processAuthorizationCodeResponse(as, client, answer), parameters, verifier }
}
const open = { client_id: 'judge-public' }
const redirect = 'http://127.0.0.1:34567/cb' // any port of loopback
const first = await authorize(open, oauth.None(), redirect)
await use(first.token.access_token)
said('authorization_code with PKCE, a public client')
await authorize(client, oauth.ClientSecretBasic(secret), 'https://judge.example/cb')
said('authorization_code with PKCE, a confidential client')

const renewed = await oauth.processRefreshTokenResponse(as, open,
    await oauth.refreshTokenGrantRequest(as, open, oauth.None(), first.token.refresh_token, http))
await use(renewed.access_token)
said('refresh_token')
const again = async refresh => oauth.processRefreshTokenResponse(as, open, await oauth.refreshTokenGrantRequest(as, open, oauth.None(), refresh, http))
await assert.rejects(again(first.token.refresh_token), error => error.error === 'invalid_grant')
await assert.rejects(again(renewed.refresh_token), error => error.error === 'invalid_grant') // the family is revoked
said('a refresh token used twice ends its family')
await assert.rejects(oauth.authorizationCodeGrantRequest(as, open, oauth.None(), first.parameters, redirect, first.verifier, http)
    .then(answer => oauth.processAuthorizationCodeResponse(as, open, answer)), error => error.error === 'invalid_grant')
said('a code used twice is refused')

const look = async (text) => oauth.processIntrospectionResponse(as, client,
    await oauth.introspectionRequest(as, client, oauth.ClientSecretBasic(secret), text, http))
const mine = await credentials(client, oauth.ClientSecretBasic(secret))
assert.equal((await look(mine.access_token)).active, true)
assert.equal((await look('nonsense')).active, false)
said('introspection')
await oauth.processRevocationResponse(await oauth.revocationRequest(as, client, oauth.ClientSecretBasic(secret), mine.access_token, http))
assert.equal((await look(mine.access_token)).active, false)
await use(mine.access_token, 401)
said('revocation')
