/** How does one message reach one sink, once? */
import { createHmac } from 'node:crypto';
import { readSecret } from '../config/environment.ts';
import type { Notification, NotifySink } from '../model/notification.ts';
import { inWords } from '../world/errno.ts';
import { runFed } from '../world/fed-command.ts';
import { post } from '../world/webhook.ts';
import type { Clock, Files } from '../world/world.ts';

/** `again`: it may go better in a while. */
export type Delivered =
  | { readonly ok: true }
  | { readonly ok: false; readonly why: string; readonly again: boolean };

export interface DeliveryTools {
  readonly files: Files;
  readonly clock: Pick<Clock, 'wall'>;
  readonly version: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export type Deliver = (
  sink: NotifySink,
  notification: Notification,
  done: (delivered: Delivered) => void,
) => () => void;

/** Variables of the daemon that a command gets. */
const PASSED_ON = ['PATH', 'HOME', 'LANG', 'LC_ALL', 'TZ'];

/** Statuses of a server that has too much to do, or began and did not end (RFC 9110, 15.5.9; RFC 6585, 4). */
const LATER = new Set([408, 425, 429]);

export function deliverer(tools: DeliveryTools): Deliver {
  return (sink, notification, done) => {
    try {
      return attempt(sink, notification, tools, done);
    } catch (error) {
      // What no program and no address can be: it does not become better by itself.
      return laterCalled(() => done({ ok: false, why: inWords(error), again: false }));
    }
  };
}

function attempt(
  sink: NotifySink,
  notification: Notification,
  tools: DeliveryTools,
  done: (delivered: Delivered) => void,
): () => void {
  if (sink.kind === 'webhook') return toWebhook(sink, notification, tools, done);
  const { command, timeout } = sink;
  const input = `${JSON.stringify(notification)}\n`;
  const environment = variables(notification, tools.environment);
  // What a command does twice nobody knows: it tries again by itself if it likes.
  return runFed({ command, timeout, input, environment }, (failed) =>
    done(failed === undefined ? { ok: true } : { ok: false, why: failed, again: false }),
  );
}

/** Where it goes, for people; the path of an address is often a secret. */
export function labelOf(sink: NotifySink): string {
  return sink.kind === 'webhook' ? new URL(sink.url).host : (sink.command[0] ?? '');
}

/** @returns the hex digits of HMAC-SHA256 over `<timestamp>.<body>` */
export function signature(secret: string, timestamp: string, body: string): string {
  return createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex');
}

function toWebhook(
  { url, secret_file, timeout }: Extract<NotifySink, { kind: 'webhook' }>,
  notification: Notification,
  { files, clock, version }: DeliveryTools,
  done: (delivered: Delivered) => void,
): () => void {
  const body = JSON.stringify(notification);
  const timestamp = String(Math.floor(clock.wall() / 1000));
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    'user-agent': `processmaster/${version}`,
    'x-processmaster-event': notification.event,
    'x-processmaster-timestamp': timestamp,
  };
  if (secret_file !== null) {
    const secret = readSecret(secret_file, files);
    if ('says' in secret || secret.value === '') {
      const why = 'says' in secret ? secret.says : `${secret_file} is empty`;
      // Somebody may be about to mend it.
      return laterCalled(() => done({ ok: false, why, again: true }));
    }
    headers['x-processmaster-signature'] = `sha256=${signature(secret.value, timestamp, body)}`;
  }
  return post({ url, headers, body, timeout }, (result) => {
    if ('failed' in result) return done({ ok: false, why: result.failed, again: true });
    const { status } = result;
    if (status >= 200 && status < 300) return done({ ok: true });
    done({ ok: false, why: `it answered ${status}`, again: status >= 500 || LATER.has(status) });
  });
}

function laterCalled(call: () => void): () => void {
  let open = true;
  void Promise.resolve().then(() => {
    if (open) call();
  });
  return () => {
    open = false;
  };
}

function variables(
  { id, event, at, host, service = '', message }: Notification,
  environment: DeliveryTools['environment'],
): Record<string, string> {
  const passed = PASSED_ON.flatMap((name) => {
    const value = environment[name];
    return value === undefined ? [] : [[name, value]];
  });
  const own = Object.entries({ id, event, at, host, service, message });
  return {
    ...Object.fromEntries(passed),
    // No variable can hold the character that ends a text (execve(2)).
    ...Object.fromEntries(
      own.map(([key, value]) => [`PROCESSMASTER_NOTIFY_${key.toUpperCase()}`, value.replaceAll('\0', '')]),
    ),
  };
}
