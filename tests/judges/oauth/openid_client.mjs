// openid_client.mjs - npm's openid-client does what an application of its users would.
import { createRequire } from 'node:module'
import { readFileSync } from 'node:fs'
import assert from 'node:assert'
import { pathToFileURL } from 'node:url'
const require = createRequire(pathToFileURL(process.env.EVDB_JUDGES + '/'))
const client = await import(pathToFileURL(require.resolve('openid-client')))
const issuer = new URL(process.env.EVDB_ISSUER), api = process.env.EVDB_API, secret = process.env.EVDB_SECRET
const said = text => console.log('openid-client: ' + text)
const options = { execute: [client.allowInsecureRequests], algorithm: 'oauth2' }
const discover = (id, proof) => client.discovery(issuer, id, undefined, proof, options)

async function use(config, token, status = 200) {
    const answer = await client.fetchProtectedResource(config, token, new URL(api + '/api/v1/stores'), 'GET').catch(error => error)
    assert.equal(answer.status, status)
}

const basic = await discover('judge', client.ClientSecretBasic(secret))
said('discovery')
const token = await client.clientCredentialsGrant(basic, { scope: 'read' })
await use(basic, token.access_token)
said('client_credentials, client_secret_basic')
const post = await discover('judge', client.ClientSecretPost(secret))
await use(post, (await client.clientCredentialsGrant(post, { scope: 'read' })).access_token)
said('client_credentials, client_secret_post')

const pem = readFileSync(process.env.EVDB_KEY_ES256, 'latin1').replace(/-----[^-]+-----|\s/g, '')
const key = await crypto.subtle.importKey('pkcs8', Buffer.from(pem, 'base64'), { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign'])
const keys = await discover('judge-es256', client.PrivateKeyJwt({ key, kid: 'es256' }))
await use(keys, (await client.clientCredentialsGrant(keys, { scope: 'read' })).access_token)
said('client_credentials, private_key_jwt')

const open = await discover('judge-public', client.None())
const redirect_uri = 'http://127.0.0.1:45678/cb'
const verifier = client.randomPKCECodeVerifier(), state = client.randomState()
const url = client.buildAuthorizationUrl(open, { redirect_uri, scope: 'read', state, resource: process.env.EVDB_RESOURCE,
    code_challenge: await client.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256' })
const back = await (await fetch(process.env.EVDB_BROWSER + '?url=' + encodeURIComponent(url))).text()
const granted = await client.authorizationCodeGrant(open, new URL(back), { pkceCodeVerifier: verifier, expectedState: state })
await use(open, granted.access_token)
said('authorization_code with PKCE for one resource')
const renewed = await client.refreshTokenGrant(open, granted.refresh_token)
await use(open, renewed.access_token)
said('refresh_token')
await assert.rejects(client.refreshTokenGrant(open, granted.refresh_token), error => error.error === 'invalid_grant')
said('a refresh token used twice is refused')
assert.equal((await client.tokenIntrospection(basic, token.access_token)).active, true)
await client.tokenRevocation(basic, token.access_token)
assert.equal((await client.tokenIntrospection(basic, token.access_token)).active, false)
await use(basic, token.access_token, 401)
said('introspection and revocation')
await assert.rejects(discover('judge', client.ClientSecretBasic('wrong ' + secret)).then(c => client.clientCredentialsGrant(c)),
    error => error.code === 'OAUTH_WWW_AUTHENTICATE_CHALLENGE' && error.cause[0].scheme === 'basic')
said('a wrong secret is told from other errors')
