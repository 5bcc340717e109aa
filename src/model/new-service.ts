/** What does a command line say about a service that has no file yet? */

export interface NewService {
  readonly name: string;
  /** argv, as it stands: nothing in it is substituted. */
  readonly command: readonly string[];
  /** The working directory, absolute. */
  readonly directory: string;
  readonly instances?: number | 'auto';
  readonly port?: number | 'auto';
  readonly env?: Readonly<Record<string, string>>;
  readonly user?: string;
  /** Cron fields: when it is run. */
  readonly schedule?: string;
  /** Development: restarted when a file below `directory` changes; a crash at the start waits for the next change. */
  readonly dev?: boolean;
}
