import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { opener } from './person.js';
import { unique } from './system.js';

const PAYLOADS = [
  '<script>pwned()</script>', '<img src=x onerror=pwned()>', '<svg onload=pwned()>', '<svg><script>pwned()</script></svg>',
  '<iframe src="javascript:pwned()"></iframe>', '<a href="javascript:pwned()">x</a>', 'javascript:pwned()', 'JaVaScRiPt:pwned()',
  'data:text/html,<script>pwned()</script>', 'https://x.example/"onmouseover="pwned()', "https://x.example/'onclick='pwned()",
  'http://x.example/<script>pwned()</script>', '`<img src=x onerror=pwned()>`', '```\n<script>pwned()</script>\n```',
  '```html\n<img src=x onerror=pwned()>', '"><script>pwned()</script>', "'-pwned()-'", '{{constructor.constructor("pwned()")()}}',
  '${pwned()}', '<math><mtext><script>pwned()</script></mtext></math>', '<details open ontoggle=pwned()>', '<body onload=pwned()>',
  '<style>@import "javascript:pwned()"</style>', '<link rel=stylesheet href=javascript:pwned()>', '<object data="javascript:pwned()">',
  '&lt;script&gt;pwned()&lt;/script&gt;', '<!--><script>pwned()</script>', '<template><script>pwned()</script></template>',
  '\u202e<script>pwned()</script>', '<chat-sign-in></chat-sign-in><form action=//x.example><input name=user>',
];

/** @param {{system: import('./system.js').System, browser: import('playwright-core').Browser}} stage */
export function safety(stage) {
  const open = opener(stage);

  test(`${PAYLOADS.length} attempts to inject stay text, live and from history`, async (t) => {
    const room = unique('hostile');
    const [alice, bob] = [await open(t, 'alice', { room }), await open(t, 'bob', { room, viewport: { width: 1280, height: 4000 } })];
    const harmless = async () => {
      const shown = await bob.page.locator('li.message .bubble').evaluateAll((all) => all.map((bubble) => ({
        text: bubble.textContent,
        tags: [...new Set([...bubble.querySelectorAll('*')].map((e) => e.tagName))],
        links: [...bubble.querySelectorAll('a')].map((a) => new URL(a.href).protocol),
        attributes: [...bubble.querySelectorAll('*')].flatMap((e) => e.getAttributeNames()).filter((name) => name.startsWith('on')),
      })));
      assert.equal(shown.length, PAYLOADS.length);
      shown.forEach(({ text, tags, links, attributes }, i) => {
        const plain = PAYLOADS[i].replace(/^```(?:[\w+-]*\n)?([^]+?)\n?```$/, '$1').replace(/^`(.*)`$/, '$1');
        assert.equal(text, plain);
        assert.deepEqual(tags.filter((tag) => !['A', 'CODE', 'PRE'].includes(tag)), [], plain);
        assert.ok(links.every((protocol) => /^https?:$/.test(protocol)), plain);
        assert.deepEqual(attributes, [], plain);
      });
      assert.deepEqual(bob.troubles, []);
    };
    for (const person of [alice, bob]) {
      await person.page.exposeFunction('pwned', () => person.troubles.push('pwned'));
      person.page.on('dialog', (dialog) => { person.troubles.push(`dialog ${dialog.message()}`); dialog.dismiss(); });
    }
    for (const payload of PAYLOADS) await alice.say(payload);
    await bob.sees(PAYLOADS.at(-1));
    await harmless();
    await bob.page.reload();
    await bob.sees(PAYLOADS.at(-1));
    await harmless();
    assert.deepEqual(alice.troubles, []);
  });

  test('Links, code and emoji are shown as what they are', async (t) => {
    const alice = await open(t, 'alice', { room: unique('text') });
    const cases = [
      ['see https://example.org/a?b=c#d.', 'a', 'https://example.org/a?b=c#d'],
      ['(https://example.org/wiki/Tea_(drink))', 'a', 'https://example.org/wiki/Tea_(drink)'],
      ['HTTPS://EXAMPLE.ORG, and more', 'a', 'HTTPS://EXAMPLE.ORG'],
      ['call `f(x)` twice', 'code', 'f(x)'],
      ['```sh\n./run\n  ./test\n```', 'pre', './run\n  ./test'],
    ];
    for (const [text, tag, shown] of cases) {
      await alice.say(text);
      await alice.acknowledged();
      assert.equal(await alice.bubbles.last().locator(tag).textContent(), shown);
    }
    const links = await alice.page.locator('.bubble a').evaluateAll((all) => all.map((a) => `${a.target} ${a.rel}`));
    assert.deepEqual(links, Array(3).fill('_blank noopener noreferrer'));
    await alice.say('https:// is no link, nor is ftp://example.org');
    await alice.acknowledged();
    assert.equal(await alice.bubbles.last().locator('a').count(), 0);
    await alice.say('👍🏽 ❤️');
    await alice.acknowledged();
    assert.match(await alice.bubbles.last().getAttribute('class'), /jumbo/);
    const colours = (bubble) => bubble.evaluate((e) => [getComputedStyle(e).color, getComputedStyle(e).backgroundColor, getComputedStyle(document.body).color]);
    const [large, , text] = await colours(alice.bubbles.last());
    assert.equal(large, text, 'what stands on the page has its colour');
    for (const sign of ['©', '✔', '™']) {
      await alice.say(sign);
      await alice.acknowledged();
      const [colour, background] = await colours(alice.bubbles.last());
      assert.ok(colour !== background && background !== 'rgba(0, 0, 0, 0)', `${sign}: ${colour} on ${background}`);
    }
    assert.deepEqual(alice.troubles, []);
  });

  test('The content policy allows nothing inline and nothing from elsewhere, and the page keeps to it', async (t) => {
    const response = await fetch(stage.system.url);
    const directives = (response.headers.get('content-security-policy') ?? '').split('; ').map((directive) => directive.split(' '));
    const policy = new Map(directives.map(([name, ...sources]) => [name, sources]));
    assert.deepEqual(policy.get('default-src'), ["'none'"]);
    assert.deepEqual(policy.get('script-src'), ["'self'"]);
    assert.deepEqual(policy.get('style-src'), ["'self'"]);
    assert.deepEqual(policy.get('frame-ancestors'), ["'none'"]);
    assert.doesNotMatch(await response.text(), /<script(?![^>]*\ssrc=)|\sstyle=|\son\w+=/);
    const alice = await open(t, 'alice');
    await alice.say('hello');
    await alice.sees('hello');
    assert.deepEqual(alice.troubles, []);
    // The policy is in force, not only said: an inline script that gets in all the same does not run.
    const violated = await alice.page.evaluate(() => new Promise((resolve) => {
      document.addEventListener('securitypolicyviolation', (event) => resolve(event.effectiveDirective), { once: true });
      const script = document.createElement('script');
      script.textContent = 'globalThis.pwned = true';
      document.head.append(script);
    }));
    assert.match(violated, /^script-src/);
    assert.equal(await alice.page.evaluate(() => globalThis.pwned), undefined);
  });

  test('axe finds nothing: sign-in, conversation, palette, finder, people, rooms and their dialogs, 360 px, light and dark', async (t) => {
    const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
    const clean = async (page, what) => {
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
      assert.deepEqual(violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html).join(' | ').slice(0, 400)}`), [], what);
    };
    for (const scheme of ['light', 'dark']) {
      const room = unique('axe');
      const bob = await open(t, 'bob', { room, scheme });
      await bob.say('a message by another');
      const alice = await open(t, 'alice', { room, scheme });
      for (const text of ['plain', '**bold** _slanted_\n> a quotation\n- a list', 'https://example.org and `code`', '```\nblock\n```', '🎉']) await alice.say(text);
      await alice.bubble('plain').locator('.state, .meta[hidden]').first().waitFor({ state: 'attached' });
      await alice.bubble('plain').hover();
      await alice.button('React with 👍').click();
      await alice.page.locator('.reaction').waitFor();
      await alice.diagnostics();
      await clean(alice.page, `${scheme}, conversation`);
      await bob.button('Change the room').click();
      await bob.page.getByLabel('Topic').waitFor();
      await clean(bob.page, `${scheme}, the room's settings`);
      await bob.page.keyboard.press('Escape');
      await bob.button(`Manage ${alice.name}`).click();
      await bob.button('Ban').waitFor();
      await clean(bob.page, `${scheme}, what a moderator may do`);
      await bob.page.keyboard.press('Escape');
      await bob.bubble('plain').hover();
      await bob.button('Reply (R)').click();
      await bob.box.pressSequentially(`@${alice.name.slice(0, 4)}`);
      await bob.page.getByRole('option').first().waitFor();
      await clean(bob.page, `${scheme}, whom to mention`);
      await alice.button('Insert an emoji').click();
      await alice.page.locator('dialog[open]').waitFor();
      await clean(alice.page, `${scheme}, palette`);
      await alice.page.keyboard.press('Escape');
      await alice.page.keyboard.press('Control+k');
      await alice.page.keyboard.type('bo');
      await alice.page.locator('.finder [role=status]', { hasText: 'found' }).waitFor();
      await clean(alice.page, `${scheme}, finder`);
      await alice.page.keyboard.press('Escape');
      await alice.page.setViewportSize({ width: 360, height: 740 });
      await clean(alice.page, `${scheme}, 360 px`);
      await alice.button('Show people').click();
      await clean(alice.page, `${scheme}, people at 360 px`);
      await alice.page.goto(`${stage.system.url}/#`);
      await clean(alice.page, `${scheme}, list at 360 px`);
      const context = await stage.browser.newContext({ colorScheme: scheme });
      t.after(() => context.close());
      const page = await context.newPage();
      await page.goto(stage.system.url);
      await page.getByLabel('Your name').waitFor();
      await clean(page, `${scheme}, sign-in`);
    }
  });
}
