// The whole application as `./run` starts it, on a free port, with data of its own that goes when it ends.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const ROOT = new URL('../../', import.meta.url);
const HOST = fileURLToPath(new URL('artifacts/bin/AppHost/debug/AspireChat.AppHost.dll', ROOT));
const START_WITHIN_MS = 180_000;
const STOP_WITHIN_MS = 60_000;

/** A name that no other test uses. */
export const unique = (name) => `${name}-${Math.random().toString(36).slice(2, 10)}`;

/** Asks until the answer is true; fails with what it waited for. */
export async function eventually(what, ask, within = 60_000) {
  const end = Date.now() + within;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (Date.now() > end) throw new Error(`Within ${within / 1000} s it never came true that ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export class System {
  #host;
  url = '';

  /** @param {Record<string, string>} [more] settings of this run */
  static async start(more = {}) {
    if (!existsSync(HOST)) throw new Error('The AppHost is not built: dotnet build AppHost');
    const system = new System();
    // Many users are one machine here: limits that keep one user from flooding would only slow the tests.
    const settings = {
      DOTNET_ENVIRONMENT: 'Development', ASPIRE_ALLOW_UNSECURED_TRANSPORT: 'true', ASPNETCORE_URLS: await freeAddress(),
      ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL: await freeAddress(), ASPIRE_RESOURCE_SERVICE_ENDPOINT_URL: await freeAddress(),
      ASPIRECHAT_PORT: '0', Data__Temporary: 'true', Servers: 'processes', Gateway__RateLimits__Enabled: 'false',
      Sockets__EventsPerSecond: '100000', Sockets__EventBurst: '100000', Sockets__FramesPerSecond: '100000', Sockets__FrameBurst: '100000', ...more,
    };
    const host = system.#host = spawn('dotnet', ['exec', HOST], {
      env: { ...process.env, ...settings }, stdio: ['ignore', 'pipe', 'pipe'], cwd: fileURLToPath(ROOT),
    });
    // Nothing may outlive the tests, however they end; what the host started goes with it.
    process.once('exit', () => host.kill('SIGKILL'));
    for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));
    const output = [];
    const ready = new Promise((resolve, reject) => {
      const read = (line) => {
        output.push(line);
        if (output.length > 200) output.shift();
        const [, url] = /^ {2}Chat:\s+(http:\S+)/.exec(line) ?? [];
        if (url) resolve(url.replace(/\/$/, ''));
      };
      createInterface({ input: host.stdout }).on('line', read);
      createInterface({ input: host.stderr }).on('line', read);
      const fail = (why) => reject(new Error(`The system ${why}. It said:\n${output.slice(-30).join('\n')}`));
      host.once('exit', (code) => fail(`ended with ${code}`));
      setTimeout(() => fail(`was not up within ${START_WITHIN_MS / 1000} s`), START_WITHIN_MS).unref();
    });
    try {
      system.url = await ready;
    } catch (error) {
      await system.stop();
      throw error;
    }
    return system;
  }

  async stop() {
    const host = this.#host;
    if (host.exitCode !== null || host.signalCode !== null) return;
    const ended = once(host, 'exit');
    host.kill('SIGTERM');
    const timer = setTimeout(() => host.kill('SIGKILL'), STOP_WITHIN_MS);
    await ended;
    clearTimeout(timer);
  }

  /** Kills the process of a node, named as in `welcome.node`. Nothing starts it again. */
  killNode(node) {
    // A node's name is what the host calls the instance, and a random part. `dotnet run`, which the host wraps it in, has the same variables.
    const instance = `service.instance.id=${node.replace(/-[0-9a-f]{8}$/, '')}`;
    const found = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).find((pid) =>
      read(`/proc/${pid}/cmdline`).split('\0')[0].endsWith('AspireChat.ConnectionService') && read(`/proc/${pid}/environ`).includes(instance));
    if (!found) throw new Error(`No process says ${instance}.`);
    process.kill(Number(found), 'SIGKILL');
  }

  async token(user, scope) {
    const { token } = await this.#post('/dev/token', { user, scope }, {});
    return token;
  }

  /** What an operator does. */
  async disconnect(user) {
    const headers = { Authorization: `Bearer ${await this.token('operator', 'chat:admin')}` };
    const { ok, status } = await fetch(`${this.url}/api/admin/users/${user}/disconnect`, { method: 'POST', headers });
    if (!ok) throw new Error(`disconnect: ${status}`);
  }

  /** How a user is shown, set by an operator. @param {string} user @param {{name?: string, picture?: string}} profile */
  async setProfile(user, profile) {
    const headers = { Authorization: `Bearer ${await this.token('operator', 'chat:admin')}`, 'Content-Type': 'application/json' };
    const { ok, status } = await fetch(`${this.url}/api/admin/users/${user}`, { method: 'PUT', headers, body: JSON.stringify(profile) });
    if (!ok) throw new Error(`PUT profile: ${status}`);
  }

  async call(user, path, body) {
    const headers = { Authorization: `Bearer ${await this.token(user)}` };
    if (body) return this.#post(path, body, headers);
    const response = await fetch(this.url + path, { headers });
    if (!response.ok) throw new Error(`GET ${path}: ${response.status}`);
    return response.json();
  }

  async #post(path, body, headers) {
    const response = await fetch(this.url + path, {
      method: 'POST', headers: { 'Content-Type': 'application/json', ...headers }, body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`POST ${path}: ${response.status} ${await response.text()}`);
    return response.json();
  }
}

/** Where nothing listens now. */
export async function freeAddress() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return `http://localhost:${port}`;
}

/** A process may end while its files are read. */
function read(path) {
  try { return readFileSync(path, 'utf8'); } catch { return ''; }
}
