/** How is somebody called who gives a command, in events, terminals and logs? */

const ACTOR = /^[\w.@+-]{1,64}$/;

export function isActor(text: string): boolean {
  return ACTOR.test(text);
}

/** The name of a user as an actor: some directories of users allow more characters (`CORP\bob`). */
export function actorOfUser(name: string): string {
  return name.replace(/[^\w.@+-]/g, '-').slice(0, 64);
}
