import { describe, expect, it } from 'vitest';
import { Markers } from '../../src/daemon/markers.ts';
import type { Problem } from '../../src/model/problem.ts';
import type { Defined, LogsSpec } from '../../src/model/spec.ts';
import { defined, name, problem, runKey, WEB } from '../builders.ts';

const AT = Date.UTC(2026, 10, 21, 14, 5, 6, 123);
const STAMP = 'processmaster:marker time=2026-11-21T14:05:06.123Z';

function marked(service: Defined, refusal?: Problem) {
  const lines: string[] = [];
  const complaints: Problem[] = [];
  const markers = new Markers({
    append: (path, _credentials, line) => {
      lines.push(`${path}: ${line}`);
      return refusal;
    },
    desired: (name) => (name === service.name ? service : undefined),
    now: () => AT,
    complain: (each) => complaints.push(each),
  });
  return { markers, lines, complaints };
}

const web = (logs: Partial<LogsSpec>) => defined({ spec: { logs: { stdout: '/l/web.log', ...logs } } });

describe('markers', () => {
  it('tell of starts and ends in the stdout log', () => {
    const service = web({ markers: true });
    const { markers, lines } = marked(service);
    markers.starting(runKey({ slot: 1, generation: 3 }), service, 'respawn_after_exit');
    const fields = { instance: 1, generation: 3, pid: 77 };
    markers.noted({
      at: 0,
      name: 'worker_exited',
      service: WEB,
      fields: { ...fields, exit_reason: 'exit_2' },
    });
    markers.noted({
      at: 0,
      name: 'worker_stopped',
      service: WEB,
      fields: { ...fields, reason: 'pmctl stop' },
    });
    expect(lines).toEqual([
      `/l/web.log: ${STAMP} event=started service=web instance=1 generation=3 reason=respawn_after_exit`,
      `/l/web.log: ${STAMP} event=exited service=web instance=1 generation=3 pid=77 exit_reason=exit_2`,
      `/l/web.log: ${STAMP} event=stopped service=web instance=1 generation=3 pid=77 reason="pmctl stop"`,
    ]);
  });

  it('stand in the file of the instance', () => {
    const service = web({ markers: true, stdout: '/l/web-${instance}.log' });
    const { markers, lines } = marked(service);
    markers.starting(runKey({ slot: 2 }), service, 'boot');
    markers.noted({ at: 0, name: 'worker_exited', service: WEB, fields: { instance: 1 } });
    expect(lines.map((line) => line.split(':')[0])).toEqual(['/l/web-2.log', '/l/web-1.log']);
  });

  it('tell of an end where the output is, also when the file says something else by then, or is gone', () => {
    const before = web({ markers: true });
    const end = { at: 0, name: 'worker_stopped', service: WEB, fields: { instance: 0 } };
    const moved = marked(web({ markers: true, stdout: '/l/moved.log' }));
    const gone = marked(defined({ name: name('other') }));
    const off = marked(web({ markers: false }));
    for (const { markers, lines } of [moved, gone, off]) {
      const key = runKey({});
      markers.starting(key, before, 'boot');
      lines.length = 0;
      markers.noted({ ...end, run_id: key.id });
    }
    expect([moved.lines, gone.lines, off.lines]).toEqual([
      [`/l/web.log: ${STAMP} event=stopped service=web instance=0`],
      [`/l/web.log: ${STAMP} event=stopped service=web instance=0`],
      [],
    ]);
  });

  it('are not written without being asked for, for other events, or for services that are gone', () => {
    const quiet = marked(web({}));
    quiet.markers.starting(runKey({}), web({}), 'boot');
    quiet.markers.noted({ at: 0, name: 'worker_exited', service: WEB, fields: { instance: 0 } });
    const loud = marked(web({ markers: true }));
    loud.markers.noted({ at: 0, name: 'worker_started', service: WEB, fields: { instance: 0 } });
    loud.markers.noted({ at: 0, name: 'manager_started', fields: {} });
    loud.markers.noted({ at: 0, name: 'worker_exited', service: runKey({}).service, fields: {} });
    expect([quiet.lines, loud.lines.length]).toEqual([[], 1]);
  });

  it('keep nothing from being started when they cannot be written', () => {
    const service = web({ markers: true });
    const { markers, complaints } = marked(service, problem({ code: 'log-unwritable' }));
    markers.starting(runKey({}), service, 'boot');
    expect(complaints).toMatchObject([{ code: 'log-unwritable', service: WEB }]);
  });
});
