// An SMSC that does what it is told: receipts in any order and form, throttling, refusals, silence, dropped lines.
//
// node smsc.js FOLDER_OF_MODULES OPTIONS: OPTIONS is JSON, any of `defaults` below, and `port`. Says its port as one
// line of JSON. Each line on the standard input is JSON as well, and answered by `{}`: options to change, or one of
// `{"incoming": {...deliver_sm}}`, `{"drop": true}`, `{"unbind": true}`, `{"release": true}`. Ends with its input.
// With `log`, every submit_sm is a line of that file before it is answered.
'use strict';

const fs = require('fs');
const path = require('path');
const smpp = require(path.join(process.argv[2], 'smpp'));

const defaults = {
  port: 0,
  log: '',
  password: '',
  bindStatus: 0,
  receipts: 'after', // after, before, held (until release), reversed (held, and the last first), none
  receiptForm: 'text', // text, tlv, both
  state: 'DELIVRD',
  states: {}, // by the last digits of a number
  ids: 'text', // text; hex: in hex, and in decimal in the receipt
  firstId: 1,
  delayMs: 0,
  shuffle: false, // answers in another order
  statuses: {}, // command_status by number
  perSecond: 0, // more than that are throttled
  dropAfter: 0, // the line is dropped when so many were received on it
  silent: false, // nothing is answered, but bind
  swallow: 0, // so many submit_sm are taken without an answer
};
const options = { ...defaults, ...JSON.parse(process.argv[3] || '{}') };
const states = { ENROUTE: 1, DELIVRD: 2, EXPIRED: 3, DELETED: 4, UNDELIV: 5, ACCEPTD: 6, UNKNOWN: 7, REJECTD: 8 };
const log = options.log ? fs.openSync(options.log, 'a') : null;
const sessions = new Set();
let next = options.firstId;
let held = [];
let second = 0;
let inSecond = 0;

function isThrottled() {
  const now = Math.floor(Date.now() / 1000);
  if (now !== second) {
    second = now;
    inSecond = 0;
  }
  inSecond += 1;
  return options.perSecond > 0 && inSecond > options.perSecond;
}

function words(submit) {
  const content = submit.short_message || {};
  return { text: content.message || '', udh: (content.udh || []).map((one) => Buffer.from(one).toString('hex')) };
}

function note(submit, status) {
  if (log === null) return;
  const { text, udh } = words(submit);
  fs.writeSync(log, JSON.stringify({
    to: submit.destination_addr, from: submit.source_addr, ton: submit.dest_addr_ton, npi: submit.dest_addr_npi,
    text, udh, esmClass: submit.esm_class, dataCoding: submit.data_coding, validity: submit.validity_period,
    registered: submit.registered_delivery, priority: submit.priority_flag, status,
  }) + '\n');
}

function stateOf(number) {
  const found = Object.keys(options.states).find((end) => number.endsWith(end));
  return found ? options.states[found] : options.state;
}

function receiptOf(submit, id) {
  const state = stateOf(submit.destination_addr);
  const pdu = {
    source_addr: submit.destination_addr, source_addr_ton: submit.dest_addr_ton, source_addr_npi: submit.dest_addr_npi,
    destination_addr: submit.source_addr, esm_class: 4,
  };
  if (options.receiptForm !== 'text') {
    pdu.receipted_message_id = id.answer;
    pdu.message_state = states[state] || 7;
  }
  if (options.receiptForm !== 'tlv') {
    const error = state === 'DELIVRD' ? '000' : '021';
    pdu.short_message = `id:${id.receipt} sub:001 dlvrd:001 submit date:2607010830 done date:2607010831 `
      + `stat:${state} err:${error} text:id:9 stat:REJECTD`;
  }
  return pdu;
}

function newId() {
  const number = next++;
  if (options.ids === 'hex') return { answer: number.toString(16).toUpperCase(), receipt: String(number).padStart(10, '0') };
  return { answer: `m${number}`, receipt: `m${number}` };
}

function release() {
  const all = options.receipts === 'reversed' ? held.reverse() : held;
  held = [];
  all.forEach((pdu) => anySession((session) => session.deliver_sm(pdu)));
}

function anySession(act) {
  const session = sessions.values().next().value;
  if (session) act(session);
}

function answer(session, submit) {
  const status = options.statuses[submit.destination_addr] || (isThrottled() ? smpp.ESME_RTHROTTLED : 0);
  note(submit, status);
  if (options.swallow > 0) {
    options.swallow -= 1;
    return;
  }
  if (status) {
    session.send(submit.response({ command_status: status }));
    return;
  }
  const id = newId();
  const asked = submit.registered_delivery & 1 && options.receipts !== 'none';
  const receipt = asked ? receiptOf(submit, id) : null;
  if (receipt && options.receipts === 'before') session.deliver_sm(receipt);
  session.send(submit.response({ message_id: id.answer }));
  if (receipt && options.receipts === 'after') session.deliver_sm(receipt);
  if (receipt && ['held', 'reversed'].includes(options.receipts)) held.push(receipt);
}

function serve(session) {
  let received = 0;
  session.on('error', () => session.destroy());
  session.on('close', () => sessions.delete(session));
  session.on('bind_transceiver', (pdu) => {
    const wrong = options.password && pdu.password !== options.password ? smpp.ESME_RINVPASWD : 0;
    const status = options.bindStatus || wrong;
    session.send(pdu.response({ command_status: status, system_id: 'smsc' }));
    if (!status) sessions.add(session);
  });
  session.on('submit_sm', (submit) => {
    received += 1;
    if (options.dropAfter && received > options.dropAfter) {
      note(submit, 'dropped');
      session.destroy();
      return;
    }
    if (options.silent) {
      note(submit, 'silent');
      return;
    }
    if (options.delayMs) {
      setTimeout(() => answer(session, submit), options.shuffle ? Math.random() * options.delayMs : options.delayMs);
    } else {
      answer(session, submit);
    }
  });
  session.on('enquire_link', (pdu) => { if (!options.silent) session.send(pdu.response()); });
  session.on('unbind', (pdu) => { session.send(pdu.response()); session.close(); });
}

function command(line) {
  const said = JSON.parse(line);
  if (said.incoming) {
    // Octets come in hex where a text would not show them.
    if (said.incoming.hex) said.incoming.short_message = Buffer.from(said.incoming.hex, 'hex');
    anySession((session) => session.deliver_sm(said.incoming));
  } else if (said.drop) sessions.forEach((session) => session.destroy());
  else if (said.unbind) anySession((session) => session.unbind());
  else if (said.release) release();
  else Object.assign(options, said);
  console.log('{}');
}

const tls = options.key ? { key: fs.readFileSync(options.key), cert: fs.readFileSync(options.cert) } : {};
const server = smpp.createServer(tls, serve);
server.on('error', (error) => { console.error(error.message); process.exit(1); });
server.listen(options.port, '127.0.0.1', () => console.log(JSON.stringify({ port: server.address().port })));
require('readline').createInterface({ input: process.stdin }).on('line', command).on('close', () => process.exit(0));
