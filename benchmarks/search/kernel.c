/* The limit: the AND/shift work of the search on 64-bit words, nothing else.
 *
 * The same steps as timevalg/solver (look.py: free, runs, shift; bits.py: at_least; search.py),
 * on the same bitmaps. No allocation here: the caller brings every buffer, with one word of zeros
 * after the last. `bench_*` repeat a step and give nanoseconds for one.
 */
#include <stdint.h>
#include <time.h>

typedef uint64_t u64;

/* to[i..] = what lies `by` cells later (earlier, if negative) in from[]; |by| < 64. */
static void shifted(u64 *to, const u64 *from, long words, int by)
{
    if (by == 0) {
        for (long i = 0; i < words; i++)
            to[i] = from[i];
    } else if (by > 0) {
        for (long i = 0; i < words; i++)
            to[i] = from[i] >> by | from[i + 1] << (64 - by);
    } else {
        for (long i = words - 1; i > 0; i--)
            to[i] = from[i] << -by | from[i - 1] >> (64 + by);
        to[0] = from[0] << -by;
    }
}

/* Cells from which `length` cells in a row are set, in place, by doubling. */
static void runs(u64 *bits, long words, int length)
{
    for (int have = 1; have < length;) {
        int step = have < length - have ? have : length - have;
        for (long i = 0; i < words; i++)
            bits[i] &= bits[i] >> step | bits[i + 1] << (64 - step);
        have += step;
    }
}

/* starts & later than `soonest` & every role can be served, from one mask for each role. */
__attribute__((noinline)) void warm(u64 *out, const u64 *starts, const u64 *roles, long n_roles,
                                    long words, long soonest)
{
    for (long i = 0; i < words; i++)
        out[i] = starts[i];
    for (long r = 0; r < n_roles; r++) {
        const u64 *role = roles + r * (words + 1);
        for (long i = 0; i < words; i++)
            out[i] &= role[i];
    }
    long full = soonest >> 6;
    for (long i = 0; i < full; i++)
        out[i] = 0;
    out[full] &= ~(u64)0 << (soonest & 63);
}

/* The whole: for each role OR the starts of its resources, then `warm`. */
__attribute__((noinline)) void cold(u64 *out, const u64 *starts, const u64 *hours,
                                    const u64 *taken, const long *counts, const long *lengths,
                                    const long *offsets, long n_roles, long words, long soonest,
                                    u64 *roles, u64 *scratch)
{
    for (long r = 0; r < n_roles; r++) {
        u64 *role = roles + r * (words + 1), *moved = scratch + words + 1;
        for (long i = 0; i <= words; i++)
            role[i] = 0;
        for (long k = 0; k < counts[r]; k++) {
            for (long i = 0; i < words; i++)
                scratch[i] = hours[i] & ~taken[i];
            runs(scratch, words, (int)lengths[r]);
            shifted(moved, scratch, words, (int)offsets[r]);
            for (long i = 0; i < words; i++)
                role[i] |= moved[i];
            hours += words + 1;
            taken += words + 1;
        }
    }
    warm(out, starts, roles, n_roles, words, soonest);
}

static double since(const struct timespec *from)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (now.tv_sec - from->tv_sec) * 1e9 + (now.tv_nsec - from->tv_nsec);
}

double bench_warm(long times, u64 *out, const u64 *starts, const u64 *roles, long n_roles,
                  long words, long soonest)
{
    struct timespec from;
    clock_gettime(CLOCK_MONOTONIC, &from);
    for (long t = 0; t < times; t++) {
        warm(out, starts, roles, n_roles, words, soonest);
        __asm__ volatile("" ::: "memory");
    }
    return since(&from) / times;
}

double bench_cold(long times, u64 *out, const u64 *starts, const u64 *hours, const u64 *taken,
                  const long *counts, const long *lengths, const long *offsets, long n_roles,
                  long words, long soonest, u64 *roles, u64 *scratch)
{
    struct timespec from;
    clock_gettime(CLOCK_MONOTONIC, &from);
    for (long t = 0; t < times; t++) {
        cold(out, starts, hours, taken, counts, lengths, offsets, n_roles, words, soonest, roles,
             scratch);
        __asm__ volatile("" ::: "memory");
    }
    return since(&from) / times;
}
