export function vmCache(): string;
export function kernelCache(): string;
