/* test_ops_detect.c - operators that choose boxes, and the map that their options stand in.
 * Layer: tests. */
#include "tests/unit/engine/make_run.h"

#include "engine/format/flexbuf.h"

#include <stdlib.h>

/* Boxes 0 and 1 share 0.9 of 1.1, box 2 is apart; columns are the background and two classes. */
static const float offsets[] = {0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0};
static const float anchors[] = {0.5f, 0.5f, 1, 1, 0.5f, 0.5f, 1, 1, 2.5f, 2.5f, 1, 1};
static const float scores[] = {0.1f, 0.2f, 0.6f, 0.1f, 0.9f, 0.05f, 0.9f, 0.3f, 0.25f};

static run_graph open_detect(bool regular, int64_t n_anchors)
{
    static const eng_dtype types[] = {ENG_F32, ENG_F32, ENG_F32, ENG_F32};
    const size_t bytes = (size_t)n_anchors * 4 * sizeof(float);
    run_graph r = run_open();
    const int32_t in[] = {run_input(&r, ENG_F32, 3, (int64_t[]){1, 3, 4}, offsets, sizeof(offsets)),
                          run_input(&r, ENG_F32, 3, (int64_t[]){1, 3, 3}, scores, sizeof(scores)),
                          run_input(&r, ENG_F32, 2, (int64_t[]){n_anchors, 4}, anchors, bytes)};
    ir_node *n = run_node_types(&r, IR_DETECTION_POSTPROCESS, in, 3, types, 4);
    n->attr.detect.most = 3;
    n->attr.detect.per_box = 1;
    n->attr.detect.per_class = 3;
    n->attr.detect.classes = 2;
    n->attr.detect.regular = regular;
    n->attr.detect.score = 0.1f;
    n->attr.detect.iou = 0.5f;
    for (int i = 0; i < 4; i++)
        n->attr.detect.scale[i] = 10;
    return r;
}

static void fast_detection_takes_the_best_class(void **state)
{
    (void)state;
    run_graph r = open_detect(false, 3);
    run_expect_floats(&r, (float[]){0.1f, 0, 1.1f, 1, 2, 2, 3, 3, 0, 0, 0, 0}, 12, 1e-6f);
    run_expect_result(&r, 1, (float[]){0, 0, 0}, 3, 0);
    run_expect_result(&r, 2, (float[]){0.9f, 0.3f, 0}, 3, 0);
    run_expect_result(&r, 3, (float[]){2}, 1, 0);
    run_close(&r);
}

static void regular_detection_goes_class_by_class(void **state)
{
    (void)state;
    run_graph r = open_detect(true, 3);
    run_expect_floats(&r, (float[]){0.1f, 0, 1.1f, 1, 0, 0, 1, 1, 2, 2, 3, 3}, 12, 1e-6f);
    run_expect_result(&r, 1, (float[]){0, 1, 0}, 3, 0);
    run_expect_result(&r, 2, (float[]){0.9f, 0.6f, 0.3f}, 3, 0);
    run_expect_result(&r, 3, (float[]){3}, 1, 0);
    run_close(&r);
}

static void detection_needs_an_anchor_for_each_box(void **state)
{
    (void)state;
    run_graph r = open_detect(false, 2);
    run_expect_status(&r, NF_EFORMAT);
    run_close(&r);
}

/* Boxes 0 and 1 share exactly a half, box 2 is apart. */
static run_graph open_nms(const float *iou, const float *sigma)
{
    static const eng_dtype types[] = {ENG_I32, ENG_F32, ENG_I32};
    static const float boxes[] = {0, 0, 1, 1, 0, 0, 1, 0.5f, 0, 5, 1, 6};
    static const float of[] = {0.9f, 0.8f, 0.7f}, least = 0;
    static const int32_t most = 4;
    run_graph r = run_open();
    const int32_t in[] = {run_input(&r, ENG_F32, 2, (int64_t[]){3, 4}, boxes, sizeof(boxes)),
                          run_input(&r, ENG_F32, 1, (int64_t[]){3}, of, sizeof(of)),
                          run_input(&r, ENG_I32, 0, NULL, &most, sizeof(most)),
                          run_input(&r, ENG_F32, 0, NULL, iou, sizeof(*iou)),
                          run_input(&r, ENG_F32, 0, NULL, &least, sizeof(least)),
                          run_input(&r, ENG_F32, 0, NULL, sigma, sizeof(*sigma))};
    run_node_types(&r, IR_NON_MAX_SUPPRESSION_V5, in, 6, types, 3);
    return r;
}

static void overlap_as_large_as_the_limit_is_too_much(void **state)
{
    (void)state;
    static const float iou = 0.5f, sigma = 0;
    run_graph r = open_nms(&iou, &sigma);
    run_expect_bytes(&r, (int32_t[]){0, 2, 0, 0}, 4 * sizeof(int32_t));
    run_expect_result(&r, 1, (float[]){0.9f, 0.7f, 0, 0}, 4, 0);
    assert_int_equal(*(const int32_t *)run_result(&r, 2).data, 2);
    run_close(&r);
}

/* 0.8 exp(-0.5 / 0.5 * 0.5^2) = 0.623: box 1 comes behind box 2. */
static void soft_suppression_lowers_scores(void **state)
{
    (void)state;
    static const float iou = 0.6f, sigma = 0.5f;
    run_graph r = open_nms(&iou, &sigma);
    run_expect_bytes(&r, (int32_t[]){0, 2, 1, 0}, 4 * sizeof(int32_t));
    run_expect_result(&r, 1, (float[]){0.9f, 0.7f, 0.6230406f, 0}, 4, 1e-6f);
    assert_int_equal(*(const int32_t *)run_result(&r, 2).data, 3);
    run_close(&r);
}

/* {"a": 3, "b": 0.5f}: keys, their offsets, the map in 4 bytes a value, its types, the root. */
static const uint8_t map[] = {'a', 0, 'b', 0, 2, 5, 4, 2, 0, 0, 0,    1, 0,  0,  0,  2,
                              0,   0, 0,   3, 0, 0, 0, 0, 0, 0, 0x3f, 6, 14, 10, 38, 1};

static void map_gives_its_numbers(void **state)
{
    (void)state;
    fmt_flex f = fmt_flex_open((nf_bytes){map, sizeof(map)});
    assert_true(fmt_flex_number(&f, "a", 7) == 3);
    assert_true(fmt_flex_number(&f, "b", 7) == 0.5);
    assert_true(fmt_flex_number(&f, "c", 7) == 7);
    assert_false(f.bad);
}

/* Any byte may be anything: nothing outside of the map is read (under a sanitizer). */
static void broken_map_stays_inside(void **state)
{
    (void)state;
    for (size_t i = 0; i < 256 * sizeof(map); i++) {
        uint8_t *b = malloc(sizeof(map));
        assert_non_null(b);
        memcpy(b, map, sizeof(map));
        b[i / 256] = (uint8_t)i;
        fmt_flex f = fmt_flex_open((nf_bytes){b, sizeof(map)});
        (void)fmt_flex_number(&f, "a", 0);
        (void)fmt_flex_number(&f, "b", 0);
        free(b);
    }
    for (size_t n = 0; n < sizeof(map); n++) {
        fmt_flex f = fmt_flex_open((nf_bytes){map + sizeof(map) - n, n});
        assert_true(fmt_flex_number(&f, "a", 7) == 7);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fast_detection_takes_the_best_class),
        cmocka_unit_test(regular_detection_goes_class_by_class),
        cmocka_unit_test(detection_needs_an_anchor_for_each_box),
        cmocka_unit_test(overlap_as_large_as_the_limit_is_too_much),
        cmocka_unit_test(soft_suppression_lowers_scores),
        cmocka_unit_test(map_gives_its_numbers),
        cmocka_unit_test(broken_map_stays_inside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
