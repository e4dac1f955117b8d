/** What stands in place of a state that is a secret itself (a text entity in `mode: password`, a text that carries a token): secrets do not leave the home. */
export const SECRET_STATE = "[secret]";
