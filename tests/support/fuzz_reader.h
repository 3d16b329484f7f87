/* fuzz_reader.h - any bytes into one reader: a graph or a clean error, and nothing leaks.
 * Layer: tests. */
#ifndef TEST_FUZZ_READER_H
#define TEST_FUZZ_READER_H

#include "engine/format/fmt.h"

/** Aborts when an error says nothing, or when memory is not given back. */
void fuzz_reader(const fmt_reader *reader, nf_bytes file);

#endif /* TEST_FUZZ_READER_H */
