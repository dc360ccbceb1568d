// The shop's page: sign in, order, and open the chat of an order.
import './chat-panel.js';

const $ = (selector) => document.querySelector(selector);
const panel = $('chat-panel');

/** Calls the shop's own server. */
async function call(path, body) {
  const options = body === undefined ? {} : { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) };
  const answer = await fetch(path, options);
  if (!answer.ok) throw Object.assign(new Error(`The shop answered ${answer.status}.`), { status: answer.status });
  return answer.headers.get('Content-Type')?.includes('json') ? answer.json() : undefined;
}

/** Runs what a click asked for, and tells what went wrong. */
const doing = (act) => async () => {
  $('#trouble').textContent = '';
  try {
    await act();
  } catch (error) {
    $('#trouble').textContent = error.message;
  }
};

function card(text, ...buttons) {
  const li = document.createElement('li');
  li.append(Object.assign(document.createElement('span'), { textContent: text }), ...buttons);
  return li;
}

function button(text, label, act, className = '') {
  const made = Object.assign(document.createElement('button'), { type: 'button', textContent: text, className, onclick: doing(act) });
  made.setAttribute('aria-label', label);
  return made;
}

/** One client for the whole page: it holds the connection, whatever chat is shown. */
async function connect({ gateway, user }) {
  const { ChatClient } = await import(`${gateway}/aspirechat.js`);
  const client = new ChatClient({
    url: gateway,
    user,
    getToken: async ({ signal }) => {
      const answer = await fetch('/chat/token', { signal });
      // Signed out: asking again would not help.
      if (answer.status === 401) throw Object.assign(new Error('You are signed out.'), { fatal: true });
      if (!answer.ok) throw new Error(`The shop answered ${answer.status}.`);
      return answer.json();
    },
  });
  panel.client = client;
  await client.connect();
}

async function showChat(order) {
  const { room } = await call(`/orders/${order.id}/chat`, {});
  await panel.open(room, `${order.item}, order ${order.id}`);
}

async function showOrders(me) {
  const orders = await call('/orders');
  $('#no-orders').hidden = orders.length > 0;
  $('#orders').replaceChildren(...orders.reverse().map((order) => card(
    `${order.item}, order ${order.id}: ${order.status}`,
    button('Chat', `Chat about the ${order.item}, order ${order.id}`, () => showChat(order)),
    ...(me.isClerk && order.status !== 'on its way'
      ? [button('Ship', `Ship order ${order.id}`, async () => { await call(`/orders/${order.id}/ship`, {}); await showOrders(me); }, 'quiet')] : []))));
}

async function start() {
  let me;
  try {
    me = await call('/me');
  } catch (error) {
    if (error.status !== 401) throw error;
    const users = await call('/users');
    $('#sign-in ul').replaceChildren(...users.map(({ id, name }) => card(
      name, button('Sign in', `Sign in as ${name}`, async () => { await call('/sign-in', { user: id }); location.reload(); }))));
    $('#sign-in').hidden = false;
    return;
  }
  $('#who span').textContent = me.name;
  $('#who button').onclick = doing(async () => { await call('/sign-out', {}); location.reload(); });
  $('#who').hidden = false;
  $('#shop').hidden = false;
  $('#items').hidden = me.isClerk;
  $('#items ul').replaceChildren(...(await call('/items')).map((item) => card(
    item, button('Order', `Order the ${item}`, async () => {
      const order = await call('/orders', { item });
      await showOrders(me);
      await showChat(order);
    }))));
  await showOrders(me);
  await connect(me);
}

await doing(start)();
