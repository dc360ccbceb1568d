/** @import {Profile} from './types.js' */
/** How users are shown: what answers and frames said of them last. @extends {Map<string, Profile>} */
export class Profiles extends Map {
  /** @param {Record<string, Profile>|undefined} said @param {(user: string) => void} changed */
  learn(said, changed) {
    for (const [user, { name, picture }] of Object.entries(said ?? {})) {
      const known = this.get(user);
      if (known?.name === name && known?.picture === picture) continue;
      if (name === undefined && picture === undefined) this.delete(user);
      else this.set(user, { name, picture });
      changed(user);
    }
  }
}
