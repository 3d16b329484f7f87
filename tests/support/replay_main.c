/* replay_main.c - runs a fuzz target over files: each argument is a file or a folder (searched to
 * any depth). Layer: tests. */
#include <ftw.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static long replayed;

static int replay(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)at;
    if (kind != FTW_F) return 0;
    FILE *f = fopen(path, "rb");
    if (!f) return perror(path), 1;
    /* A block of the exact size, so that a sanitizer sees the first byte read behind it. */
    uint8_t *data = malloc((size_t)st->st_size ? (size_t)st->st_size : 1);
    const size_t n = data ? fread(data, 1, (size_t)st->st_size, f) : 0;
    fclose(f);
    if (data) LLVMFuzzerTestOneInput(data, n);
    free(data);
    replayed++;
    return 0;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (nftw(argv[i], replay, 16, FTW_PHYS)) return 1;
    printf("%ld inputs replayed\n", replayed);
    return replayed ? 0 : 1;
}
