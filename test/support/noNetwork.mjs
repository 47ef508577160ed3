// Loaded into every Node process of a test by NODE_OPTIONS: any attempt to reach another machine is written
// to the file in PREFLEXOR_NETWORK_LOG and refused. This machine itself may be reached.
import dns from 'node:dns';
import { appendFileSync } from 'node:fs';
import net from 'node:net';
import process from 'node:process';

const here = /^(localhost|127\.\d+\.\d+\.\d+|::1)$/;

function refuse(what) {
  appendFileSync(process.env.PREFLEXOR_NETWORK_LOG, `${what} by ${process.argv.slice(1).join(' ')}\n`);
  throw Object.assign(new Error(`The network is not to be touched: ${what}`), { code: 'ENETUNREACH' });
}

const { connect } = net.Socket.prototype;
net.Socket.prototype.connect = function (...args) {
  // Node's own callers pass what they have normalised: an array with the options in front.
  const [first, second] = Array.isArray(args[0]) ? args[0] : args;
  const options = typeof first === 'object' && first !== null ? first : { port: first, host: second };
  const host = typeof options.host === 'string' ? options.host : 'localhost';
  if (!options.path && !here.test(host)) refuse(`connect ${host}:${options.port}`);
  return connect.apply(this, args);
};

const { lookup } = dns;
dns.lookup = (name, ...rest) => {
  if (typeof name === 'string' && !here.test(name) && !net.isIP(name)) refuse(`look up ${name}`);
  return lookup(name, ...rest);
};
