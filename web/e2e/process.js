// Another process, and what it says.
import { spawn } from 'node:child_process';

const WITHIN_MS = 30_000;

/** Resolves once the process has said all of `lines`, in any order; rejects when it ends before, or says something on its error stream. */
export function output(t, command, args, cwd, lines) {
  const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  t.after(() => child.kill('SIGKILL'));
  let [said, errors] = ['', ''];
  return new Promise((resolve, reject) => {
    const fail = (why) => reject(new Error(`It ${why}. It said:\n${said}${errors}`));
    const timer = setTimeout(() => fail(`did not say all within ${WITHIN_MS / 1000} s`), WITHIN_MS);
    const look = () => {
      if (errors) fail('failed');
      else if (lines.every((line) => said.split('\n').includes(line))) resolve();
    };
    child.stdout.on('data', (data) => { said += data; look(); });
    child.stderr.on('data', (data) => { errors += data; });
    child.on('close', (code) => { clearTimeout(timer); look(); fail(`ended with ${code}`); });
  });
}
