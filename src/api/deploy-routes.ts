/** How are questions about applied states asked over HTTP? */
import type { FastifyInstance, FastifyReply } from 'fastify';
import { actorOf } from './actor.ts';
import type { Control } from './contract.ts';
import { type Deploys, isUnfit, type Unfit } from './deploys.ts';
import { goneOf } from './gone.ts';
import { wholeNumber } from './query-number.ts';
import { refuse } from './refuse.ts';
import { BODIES } from './request-schemas.ts';

/** More entries than are ever kept. */
const ALL = 1_000_000;

interface Body {
  readonly id?: string;
  readonly prune?: boolean;
  readonly wait?: number;
}

/** @param waitOf milliseconds that a request waits at most */
export function deployRoutes(
  app: FastifyInstance,
  control: Control,
  waitOf: (asked: number | undefined) => number,
): void {
  const answer = async <View extends object>(
    reply: FastifyReply,
    ask: (deploys: Deploys) => View | Unfit | Promise<View | Unfit>,
  ): Promise<View | FastifyReply> => {
    const { deploys } = control;
    const view = deploys === undefined ? NONE : await ask(deploys);
    return isUnfit(view) ? reply.code(404).send({ error: view.unfit }) : view;
  };
  app.get('/api/history', async (request, reply) => {
    const most = wholeNumber(request, 'limit', ALL);
    if (typeof most === 'object') return refuse(reply, 400, 'bad_request', most.refused);
    return answer(reply, (deploys) => deploys.history(most));
  });
  app.get('/api/history/:id', async (request, reply) => {
    const { id } = request.params as { readonly id: string };
    return answer(reply, (deploys) => deploys.show(id));
  });
  app.get('/api/history/:id/:service', async (request, reply) => {
    const { id, service } = request.params as { readonly id: string; readonly service: string };
    return answer(reply, (deploys) => deploys.text(id, service));
  });
  app.get('/api/compare', async (request, reply) => {
    const { from = 'latest', to } = request.query as { readonly from?: string; readonly to?: string };
    return answer(reply, (deploys) => deploys.compare(from, to));
  });
  app.post('/api/rollback', { schema: { body: BODIES.rollback } }, async (request, reply) => {
    const { id, ...body } = (request.body ?? {}) as Body;
    const asked = {
      prune: body.prune ?? false,
      wait: waitOf(body.wait),
      by: actorOf(request),
      gone: goneOf(reply),
    };
    return answer(reply, (deploys) => deploys.rollback(id === undefined ? asked : { ...asked, id }));
  });
  app.post('/api/resume', { schema: { body: BODIES.resume } }, async (request, reply) => {
    const body = (request.body ?? {}) as Body;
    const asked = {
      prune: body.prune ?? false,
      wait: waitOf(body.wait),
      by: actorOf(request),
      gone: goneOf(reply),
    };
    return answer(reply, (deploys) => deploys.resume(asked));
  });
}

const NONE: Unfit = {
  unfit: { code: 'no_history', message: 'this daemon follows no directory, and so keeps no history' },
};
