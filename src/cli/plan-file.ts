/** What is in the file of a saved plan? No values: what a service is configured with is nobody's business there. */
import { readFileSync, writeFileSync } from 'node:fs';
import type { DiffView, PlanRequest } from '../api/changes.ts';
import { type Refusal, refusal } from './refusal.ts';

/** Counts up when an older pmctl could no longer read it. */
const FORMAT = 1;

interface PlanFile extends PlanRequest {
  readonly processmaster_plan: number;
}

/** Whether a change is done is decided by service, action and number; paths are for people who review the file. */
export function savePlan(path: string, view: DiffView): Refusal | undefined {
  if (view.desired === undefined)
    return refusal('error', 'plan', 'this daemon makes no plans that can be saved');
  if (view.errors.length > 0) return refusal('error', 'plan', 'no plan is saved while files have errors');
  const plan = {
    processmaster_plan: FORMAT,
    desired: view.desired,
    changes: view.changes.map(({ service, action, instances, because }) => ({
      ...{ service, action, instances },
      fields: because.map((field) => `${field.path} (${field.class})`),
    })),
  };
  try {
    writeFileSync(path, `${JSON.stringify(plan, undefined, 2)}\n`);
    return undefined;
  } catch (error) {
    return refusal('error', 'plan', `${path} cannot be written (${codeOf(error)})`);
  }
}

export function readPlan(path: string): PlanRequest | Refusal {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    const why = error instanceof SyntaxError ? 'is no JSON' : `cannot be read (${codeOf(error)})`;
    return refusal('error', 'plan', `${path} ${why}`);
  }
  if (!isPlan(value)) return refusal('error', 'plan', `${path} is no plan that pmctl diff --out has saved`);
  return {
    desired: value.desired,
    changes: value.changes.map(({ service, action, instances }) => ({ service, action, instances })),
  };
}

function isPlan(value: unknown): value is PlanFile {
  if (typeof value !== 'object' || value === null) return false;
  const { processmaster_plan, desired, changes } = value as Partial<Record<keyof PlanFile, unknown>>;
  return (
    processmaster_plan === FORMAT &&
    typeof desired === 'string' &&
    Array.isArray(changes) &&
    changes.every(isChange)
  );
}

function isChange(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { service, action, instances } = value as Record<string, unknown>;
  return typeof service === 'string' && typeof action === 'string' && Number.isInteger(instances);
}

function codeOf(error: unknown): string {
  return String((error as { readonly code?: unknown }).code ?? 'EIO');
}
