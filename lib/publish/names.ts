/** How Hearthline's device and its entities are called in a home's broker and in Home Assistant: ids of a-z, 0-9 and `_`, which all begin with `hearthline_`. */

const plain = (id: string): string => id.toLowerCase().replaceAll(/[^a-z0-9]+/g, "_");

export const nodeIdOf = (homeId: string): string => `hearthline_${plain(homeId)}`;

export type Press = "accept" | "dismiss";

/** Of the button's entity: its unique id, and the object id that Home Assistant makes its entity id of. */
export const buttonIdOf = (homeId: string, suggestionId: string, press: Press): string =>
  `${nodeIdOf(homeId)}_${plain(suggestionId)}_${press}`;

export const textIdOf = (homeId: string, suggestionId: string): string =>
  `${nodeIdOf(homeId)}_${plain(suggestionId)}_text`;

/** `hearthline/<home>/suggestions`: how many, and the best of them. */
export const suggestionsTopic = (homeId: string): string => `hearthline/${homeId}/suggestions`;
/** `hearthline/<home>/figures`: what the last night found. */
export const figuresTopic = (homeId: string): string => `hearthline/${homeId}/figures`;
/** `hearthline/<home>/pressed`: what Home Assistant publishes when a button is pressed. Nobody listens: the press comes as the button's own event. */
export const pressedTopic = (homeId: string): string => `hearthline/${homeId}/pressed`;
