/* test_checksum.c - base/checksum.h against published values of XXH64, and for what it is there to notice. */
#include "base/checksum.h"
#include "expect.h"
#include "seed.h"
#include <string.h>

static void the_published_values_come_out(void **state)
{
    (void)state;
    assert_true(checksum("", 0, 0) == 0xEF46DB3751D8E999u);
    assert_true(checksum("a", 1, 0) == 0xD24EC4F1A98C6E5Bu);
    assert_true(checksum("abc", 3, 0) == 0x44BC2CF5AD770999u);
    assert_true(checksum(NULL, 0, 0) == 0xEF46DB3751D8E999u);
}

/* Of the xxHash project's self-test: 101 bytes made by a generator of its own. */
static void the_values_of_the_reference_self_test_come_out(void **state)
{
    unsigned char bytes[101];
    const uint64_t prime = 2654435761u;
    uint64_t generator = prime;
    (void)state;
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (unsigned char)(generator >> 56);
        generator *= 11400714785074694797u;
    }
    assert_true(checksum(bytes, 0, prime) == 0xAC75FDA2929B17EFu);
    assert_true(checksum(bytes, 1, 0) == 0xE934A84ADB052768u);
    assert_true(checksum(bytes, 1, prime) == 0x5014607643A9B4C3u);
    assert_true(checksum(bytes, 14, 0) == 0x8282DCC4994E35C8u);
    assert_true(checksum(bytes, 14, prime) == 0xC3BD6BF63DEB6DF0u);
}

static void every_flipped_bit_and_the_seed_and_the_length_count(void **state)
{
    unsigned char bytes[200];
    uint64_t seed = seed_print();
    (void)state;
    for (size_t i = 0; i < sizeof(bytes); i++) bytes[i] = (unsigned char)seed_next(&seed);
    for (size_t length = 1; length < sizeof(bytes); length++) {
        uint64_t sound = checksum(bytes, length, 7);
        assert_true(checksum(bytes, length, 8) != sound);
        assert_true(checksum(bytes, length - 1, 7) != sound);
        for (size_t bit = 0; bit < length * 8; bit++) {
            bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
            assert_true(checksum(bytes, length, 7) != sound);
            bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
        }
    }
}

static void alignment_does_not_matter(void **state)
{
    unsigned char room[100 + 8];
    (void)state;
    memset(room, 0x5a, sizeof(room));
    for (size_t length = 0; length <= 100; length++)
        for (size_t shift = 1; shift < 8; shift++)
            assert_true(checksum(room + shift, length, 3) == checksum(room, length, 3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_values_come_out),
        cmocka_unit_test(the_values_of_the_reference_self_test_come_out),
        cmocka_unit_test(every_flipped_bit_and_the_seed_and_the_length_count),
        cmocka_unit_test(alignment_does_not_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
