/* fmt_zip.h - files that are kept, uncompressed, in a zip archive. Layer: format. Thread rule: pure
 * function.
 * Source: APPNOTE.TXT of the ZIP format, sections 4.3.7 (local header), 4.3.12 (central directory)
 * and 4.3.16 (its end). */
#ifndef FMT_ZIP_H
#define FMT_ZIP_H

#include "engine/base/bytes.h"

/**
 * The content of the entry called `name` of the archive that ends `file`; what stands before the
 * archive does not matter. False: there is no archive, no such entry, or it is not stored as it is
 * (compressed, encrypted, ZIP64, split). *out points into file.
 */
bool fmt_zip_find(nf_bytes *out, nf_bytes file, nf_span name);

#endif /* FMT_ZIP_H */
