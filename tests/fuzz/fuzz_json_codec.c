/* fuzz_json_codec.c - request bodies: the first byte picks dialect and model, the rest is decoded,
 * and what was understood is encoded again. Layer: tests. */
#include "tests/support/codec_model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const eng_info *const infos[] = {&codec_one, &codec_two, &codec_fixed, &codec_open,
                                            &codec_text};
    static const char *const labels[] = {"a", "b", "c"};
    srv_arena arena = {.most = 1 << 22};
    srv_buf b = {.most = 1 << 22};
    srv_call call = {0};
    if (size < 1) return 0;
    const eng_info *info = infos[data[0] / 2 % 5];
    const bool infer = data[0] % 2;
    const srv_face face = {.name = "m",
                           .version = "1",
                           .info = info,
                           .labels = info == &codec_one ? labels : NULL,
                           .n_labels = 3};
    const nf_bytes body = {data + 1, size - 1};
    const nf_status st = infer ? srv_infer_decode(&call, info, body, &arena, NULL)
                               : srv_predict_decode(&call, info, body, &arena, NULL);
    const bool open = srv_runs_open(info);
    if (!st && (open || !srv_call_outputs(&call, &arena, NULL))) {
        (open ? codec_echo : codec_fill_outputs)(&call);
        (infer ? srv_infer_encode : srv_predict_encode)(&b, &call, &face);
    }
    srv_buf_fini(&b);
    srv_arena_fini(&arena);
    return 0;
}
