/** How does a process look whose first thread has ended while another goes on? There is no shell that can do it. */
import fs from 'node:fs';

/** The program is written in the machine code of one processor. */
export const headlessIsPossible = process.platform === 'linux' && process.arch === 'x64';

/**
 * clone(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM), then exit(0) in the first
 * thread and pause() for ever in the second. The numbers are those of syscalls(2) on x86-64.
 */
const CODE = [
  ...[0xb8, 56, 0, 0, 0], // mov eax, clone
  ...[0xbf, 0x00, 0x0f, 0x05, 0x00], // mov edi, flags
  ...[0x48, 0x8d, 0xb4, 0x24, 0x00, 0xf0, 0xff, 0xff], // lea rsi, [rsp - 4096]
  ...[0x31, 0xd2, 0x45, 0x31, 0xd2, 0x45, 0x31, 0xc0], // edx = r10d = r8d = 0
  ...[0x0f, 0x05, 0x85, 0xc0, 0x74, 0x09], // syscall; in the second thread go on below
  ...[0xb8, 60, 0, 0, 0, 0x31, 0xff, 0x0f, 0x05], // exit(0)
  ...[0xb8, 34, 0, 0, 0, 0x0f, 0x05, 0xeb, 0xf7], // pause(), again and again
];

const ADDRESS = 0x400000;
const HEADERS = 64 + 56;

/** Writes an executable of one segment (elf(5)). */
export function writeHeadless(path: string): void {
  const size = HEADERS + CODE.length;
  const file = Buffer.alloc(size);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  file.writeUInt16LE(2, 16); // ET_EXEC
  file.writeUInt16LE(62, 18); // EM_X86_64
  file.writeUInt32LE(1, 20);
  file.writeBigUInt64LE(BigInt(ADDRESS + HEADERS), 24); // entry
  file.writeBigUInt64LE(64n, 32); // program headers
  file.writeUInt16LE(64, 52);
  file.writeUInt16LE(56, 54);
  file.writeUInt16LE(1, 56);
  file.writeUInt32LE(1, 64); // PT_LOAD
  file.writeUInt32LE(5, 68); // readable and executable
  file.writeBigUInt64LE(BigInt(ADDRESS), 80);
  file.writeBigUInt64LE(BigInt(ADDRESS), 88);
  file.writeBigUInt64LE(BigInt(size), 96);
  file.writeBigUInt64LE(BigInt(size), 104);
  file.writeBigUInt64LE(4096n, 112);
  file.set(CODE, HEADERS);
  fs.writeFileSync(path, file, { mode: 0o755 });
}
