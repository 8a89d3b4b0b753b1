// The other side of P9: the same messages through the package's own client, with a window and receipts.
//
// node client.js FOLDER_OF_MODULES PORT MESSAGES WINDOW TEXT: says as JSON how many seconds it took from the first
// submit_sm until the last receipt.
'use strict';

const path = require('path');
const smpp = require(path.join(process.argv[2], 'smpp'));

const [port, messages, window] = process.argv.slice(3, 6).map(Number);
const text = process.argv[6];
let sent = 0;
let answered = 0;
let receipts = 0;
let begun = 0n;
const waiting = new Set();
const early = new Set();

function fail(why) {
  console.error(why);
  process.exit(1);
}

function submit() {
  if (sent >= messages) return;
  const number = sent++;
  session.submit_sm({
    source_addr: '10690000', destination_addr: String(8613800000000 + number), dest_addr_ton: 1, dest_addr_npi: 1,
    registered_delivery: 1, data_coding: 8, short_message: text,
  }, (pdu) => {
    if (pdu.command_status) fail(`refused: ${pdu.command_status}`);
    answered += 1;
    if (early.delete(pdu.message_id)) receipts += 1; else waiting.add(pdu.message_id);
    submit();
    finish();
  });
}

function finish() {
  if (answered < messages || receipts < messages) return;
  console.log(JSON.stringify({ seconds: Number(process.hrtime.bigint() - begun) / 1e9 }));
  session.close(() => process.exit(0));
}

const session = smpp.connect({ host: '127.0.0.1', port });
session.on('error', (error) => fail(error.message));
session.on('deliver_sm', (pdu) => {
  const id = /id:(\S+)/.exec(pdu.short_message.message)[1];
  if (waiting.delete(id)) receipts += 1; else early.add(id);
  session.send(pdu.response());
  finish();
});
session.bind_transceiver({ system_id: 'bench', password: 'bench' }, (pdu) => {
  if (pdu.command_status) fail(`not bound: ${pdu.command_status}`);
  begun = process.hrtime.bigint();
  for (let one = 0; one < window; one += 1) submit();
});
