/** Who is told of what, when something goes wrong? */

export const NOTIFICATIONS = [
  'failed',
  'recovered',
  'rolled_back',
  'configuration_invalid',
  'configuration_fixed',
  'prune_held',
  'prune_released',
] as const;

export type NotificationName = (typeof NOTIFICATIONS)[number];

/** One entry of `notify`. */
export type NotifySink = {
  readonly events: readonly NotificationName[];
  /** Of one attempt; milliseconds. */
  readonly timeout: number;
} & (
  | { readonly kind: 'webhook'; readonly url: string; readonly secret_file: string | null }
  | { readonly kind: 'command'; readonly command: readonly string[] }
);

/** What is sent: the JSON of this. */
export interface Notification {
  /** The same at each attempt, and for each sink. */
  readonly id: string;
  readonly event: NotificationName;
  /** ISO 8601. */
  readonly at: string;
  readonly host: string;
  readonly service?: string;
  /** One sentence for people. */
  readonly message: string;
  /** recovered, configuration_fixed, prune_released: when the trouble was told, ISO 8601. */
  readonly since?: string;
  /** Messages before this one that could not be kept for this sink. */
  readonly dropped?: number;
}
