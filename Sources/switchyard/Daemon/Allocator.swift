import CMalloc

/// How glibc's allocator is set up for a daemon that makes and frees some hundred small blocks for each payout, thousands
/// of them at a time and among larger ones.
enum Allocator {
    /// Call it before other threads begin. Where the C library knows a setting not, the allocator stays as it was.
    static func prepare() {
        // Small free blocks are kept apart ("fast bins") and merged all at once whenever a block of 1 KiB or more is asked
        // for, or a large one freed. Here that is with every record, and the merging costs more than the allocation. Free
        // blocks beyond the few that each thread keeps are merged with their neighbours right away instead.
        _ = mallopt(M_MXFAST, 0)
        // Buffers of some megabytes come and go with every transaction: without these each would be mapped, cleared and
        // unmapped again, and the heap given back and taken anew.
        _ = mallopt(M_MMAP_THRESHOLD, 32 << 20)
        _ = mallopt(M_TRIM_THRESHOLD, 64 << 20)
        _ = mallopt(M_TOP_PAD, 1 << 20)
    }
}
