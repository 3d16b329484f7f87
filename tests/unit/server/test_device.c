/* test_device.c - devices: sums, verdicts, the keys of a file. Layer: tests. */
#include "tests/support/support.h"

#include "server/device/device_text.h"

#include <stdlib.h>
#include <unistd.h>

static const eng_device watch = {
    .ram_bytes = {1000, 2000},
    .cpu_hz = {100, 400},
    .power_w = {1, 3},
    .cores = 1,
    .flash_bytes = 10000,
    .ram_usable = 0.5,
    .flash_usable = 0.1,
    .runtime_ram_bytes = 100,
    .runtime_flash_bytes = 200,
    .f32_macs_per_cycle = 0.5,
    .i8_macs_per_cycle = 2,
    .bytes_per_cycle = 4,
    .rate_hz = 2,
    .battery_wh = 6,
};

static const eng_need need = {
    .work = {.float_macs = 5, .int_macs = 20, .weight_bytes = 150, .activation_bytes = 20},
    .file_bytes = 500,
    .arena_bytes = 100,
    .values_bytes = 40,
};

static void sums_are_those_of_the_formulas(void **state)
{
    (void)state;
    const eng_fit f = eng_fit_of(&need, &watch);
    assert_true(f.ram.need == 350 && f.ram.have.low == 500 && f.ram.have.high == 1000);
    assert_true(f.flash.need == 700 && f.flash.have.low == 1000);
    assert_true(f.time.need == 25 && f.time.have.low == 50); /* 20/2 + 5/0.5 + 20/4 */
    assert_true(f.latency_s.high == 0.25 && f.latency_s.low == 0.0625);
    assert_true(f.busy == 0.5 && f.battery_h == 3); /* 6 Wh / (1 + 2 * 0.5) W */
    assert_true(f.inference_j == 0.75);
    assert_int_equal(f.verdict, ENG_FIT_YES);
}

static void weights_may_stay_in_flash(void **state)
{
    (void)state;
    eng_device d = watch;
    d.weights_in_flash = true;
    const eng_fit f = eng_fit_of(&need, &d);
    assert_true(f.ram.need == 140);
    assert_true(f.flash.need == 350);
}

static void the_worst_part_decides(void **state)
{
    (void)state;
    eng_device d = watch;
    srv_buf b = {.most = 1000};
    d.ram_bytes = (eng_range){800, 800}; /* 350 of 400: over 80 % */
    assert_int_equal(eng_fit_of(&need, &d).verdict, ENG_FIT_TIGHT);
    d.ram_bytes = (eng_range){600, 800}; /* 300 or 400 */
    eng_fit f = eng_fit_of(&need, &d);
    assert_int_equal(f.verdict, ENG_FIT_TIGHT);
    srv_device_why(&b, &f);
    srv_buf_char(&b, '\0');
    assert_string_equal(b.data, "ram needs 350 of 300 bytes: only with the larger memory, 400");
    srv_buf_reset(&b, 1000);
    d = watch;
    d.rate_hz = 20; /* 25 cycles of 5, or of 20 */
    f = eng_fit_of(&need, &d);
    assert_int_equal(f.verdict, ENG_FIT_NO);
    assert_true(f.busy == 1);
    srv_device_why(&b, &f);
    srv_buf_char(&b, '\0');
    assert_string_equal(b.data, "time needs 25 of 20 cycles between two");
    srv_buf_fini(&b);
}

static void no_battery_has_no_hours(void **state)
{
    (void)state;
    eng_device d = watch;
    d.battery_wh = 0;
    assert_true(eng_fit_of(&need, &d).battery_h == 0);
}

static void bundled_devices_are_read(void **state)
{
    (void)state;
    static srv_devices all;
    nf_error err = {0};
    assert_ok(srv_devices_read(&all, NF_SOURCE_DIR "/deploy/devices", &err), &err);
    assert_int_equal(all.n, 4);
    assert_string_equal(all.list[1].name, "heart-monitor");
    assert_true(all.list[1].is.weights_in_flash);
    assert_true(all.list[1].is.ram_bytes.low == 262144);
    assert_true(all.list[0].is.cores == 4 && all.list[2].is.battery_wh == 0);
    for (size_t i = 0; i < all.n; i++)
        assert_true(all.list[i].source[0] != '\0');
}

static void wrong_keys_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"{", "line 1"},
        {"[]", "name: expected a short text"},
        {"{\"name\":\"x\",\"weights_in\":\"disk\"}", "weights_in: expected"},
        {"{\"name\":\"x\",\"weights_in\":\"ram\"}", "ram_bytes: expected a number, or two"},
        {"{\"name\":\"x\",\"weights_in\":\"ram\",\"ram_bytes\":[2,1]}", "lower figure first"},
        {"{\"name\":\"x\",\"weights_in\":\"ram\",\"ram_bytes\":[1,2,3]}", "ram_bytes"},
        {"{\"name\":\"x\",\"weights_in\":\"ram\",\"ram_bytes\":-1}", "ram_bytes"},
    };
    for (size_t i = 0; i < NF_COUNT(cases); i++) {
        char path[] = "/tmp/nf-device-XXXXXX";
        const int fd = mkstemp(path);
        srv_device d;
        nf_error err = {0};
        assert_true(fd >= 0);
        assert_int_equal(write(fd, cases[i].text, strlen(cases[i].text)), strlen(cases[i].text));
        close(fd);
        assert_int_equal(srv_device_read(&d, path, &err), NF_EINVAL);
        if (!strstr(err.text, cases[i].says)) fail_msg("case %zu: %s", i, err.text);
        unlink(path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_are_those_of_the_formulas),
        cmocka_unit_test(weights_may_stay_in_flash),
        cmocka_unit_test(the_worst_part_decides),
        cmocka_unit_test(no_battery_has_no_hours),
        cmocka_unit_test(bundled_devices_are_read),
        cmocka_unit_test(wrong_keys_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
