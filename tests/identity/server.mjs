// An OpenID provider on loopback that is strict about HTTP Basic (RFC 6749 section 2.3.1).
//
//   node server.mjs NODE_MODULES [PORT]
//
// NODE_MODULES is the folder that `oidc-provider` is installed in. PORT 0, the default, takes a free
// one. Prints `ready PORT` once it listens, and ends when its standard input does.
//
//   POST /token      client_credentials, the client by client_secret_basic only
//   GET  /resource   200 with the client that the bearer token was given to, else 401
//
// Id and secret hold printable characters of ASCII only (RFC 6749 appendix A.1 and A.2): the provider
// answers 400 to any other, `é` for one, however it is encoded.

import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const CLIENT_ID = 'shop: 50%+/a b';
const CLIENT_SECRET = 's:e c+r%e/t%2B&=~!';

const [modules, port = '0'] = process.argv.slice(2);
const require = createRequire(join(resolve(modules), 'none.js'));
const { Provider } = await import(pathToFileURL(require.resolve('oidc-provider')));

process.stdin.resume();
process.stdin.on('end', () => process.exit(0));

const server = createServer();
await new Promise((done) => server.listen(Number(port), '127.0.0.1', done));
const provider = new Provider(`http://127.0.0.1:${server.address().port}`, {
  clients: [
    {
      client_id: CLIENT_ID,
      client_secret: CLIENT_SECRET,
      token_endpoint_auth_method: 'client_secret_basic',
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
    },
  ],
  clientAuthMethods: ['client_secret_basic'],
  cookies: { keys: ['only on loopback'] },
  features: { clientCredentials: { enabled: true }, devInteractions: { enabled: false } },
  ttl: { ClientCredentials: 60 },
});

async function resource(request, response) {
  const [scheme, value] = (request.headers.authorization ?? '').split(' ');
  const token = scheme === 'Bearer' && value ? await provider.ClientCredentials.find(value) : undefined;
  const good = token !== undefined && token.isValid;
  response.writeHead(good ? 200 : 401, { 'content-type': 'application/json' });
  response.end(JSON.stringify(good ? { client: token.clientId } : { error: 'invalid_token' }));
}

const answer = provider.callback();
server.on('request', (request, response) => {
  if (request.url !== '/resource') return answer(request, response);
  return resource(request, response).catch((error) => response.destroy(error));
});
console.log(`ready ${server.address().port}`);
