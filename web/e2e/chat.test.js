// One system and one browser for all end-to-end tests, which run one after another, each with users and rooms of its own.
import { existsSync, mkdirSync } from 'node:fs';
import { after, before } from 'node:test';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { buildPage } from '../page.mjs';
import { conversations } from './conversations.js';
import { OtherOrigin, embedding } from './embedding.js';
import { faults } from './faults.js';
import { find } from './find.js';
import { guidePage } from './guide.js';
import { keys } from './keys.js';
import { looks } from './looks.js';
import { moderation } from './moderation.js';
import { page } from './page.js';
import { PICTURES, people } from './people.js';
import { provider } from './provider.js';
import { react } from './react.js';
import { reading } from './reading.js';
import { refusals } from './refusals.js';
import { rooms } from './rooms.js';
import { safety } from './safety.js';
import { Shop, shop } from './shop.js';
import { System } from './system.js';
import { talk } from './talk.js';

/** Filled before the first test. */
const stage = {
  system: null, shop: null, listed: null, unlisted: null, browser: null, root: '',
  screenshots: fileURLToPath(new URL('../../artifacts/screenshots/', import.meta.url)),
};

before(async () => {
  mkdirSync(stage.screenshots, { recursive: true });
  const executablePath = ['chromium', 'chromium-browser', 'google-chrome'].map((name) => `/usr/bin/${name}`).find(existsSync);
  [stage.listed, stage.unlisted] = [await OtherOrigin.open(), await OtherOrigin.open()];
  stage.shop = await Shop.plan();
  stage.root = await buildPage();
  // The shop's settings list its own origin as the first.
  stage.system = await System.start({
    ...stage.shop.settings, Gateway__WebRoot: stage.root, Gateway__ImageOrigins__0: PICTURES, Gateway__AllowedOrigins__1: stage.listed.url,
  });
  await stage.shop.open(stage.system.url);
  // A page that a test itself answers comes from no network, so its socket to this machine would be refused.
  stage.browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-features=LocalNetworkAccessChecks'] });
});

after(async () => {
  await stage.browser?.close();
  stage.shop?.close();
  await stage.system?.stop();
  stage.listed?.close();
  stage.unlisted?.close();
});

conversations(stage);
faults(stage);
safety(stage);
looks(stage);
keys(stage);
reading(stage);
people(stage);
find(stage);
moderation(stage);
talk(stage);
provider(stage);
page(stage);
embedding(stage);
guidePage(stage);
refusals(stage);
react(stage);
rooms(stage);
shop(stage);
