/**
 * Which of node's own modules are loaded when they are first used? Each of these takes milliseconds of every start, and
 * services are started before any of them is needed.
 */

export const late = {
  get dns() {
    return process.getBuiltinModule('node:dns');
  },
  get http() {
    return process.getBuiltinModule('node:http');
  },
  get https() {
    return process.getBuiltinModule('node:https');
  },
  get zlib() {
    return process.getBuiltinModule('node:zlib');
  },
};
