// SPDX-License-Identifier: Apache-2.0
// A file of a spool: a header, then entries, each with a checksum and written
// by one system call. A process that ends at any moment leaves whole entries and
// perhaps one that is cut off. Belongs to the exporter's thread.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/base/result.hpp"
#include "core/record/flow_record.hpp"

namespace nfstreamd {

struct SpoolEntry {              // as its header says, which has a checksum of its own
    std::uint32_t octets = 0;    // behind the header
    std::uint32_t records = 0;   //
    std::int64_t oldest_ms = 0;  // when the first of these flows ended, since 1970
    std::uint32_t checksum = 0;  // of the octets
};

class SpoolSegment {
public:
    static constexpr std::uint64_t kHeader = 32, kEntryHeader = 24;  // octets

    // An error leaves no file behind.
    static Result<std::shared_ptr<SpoolSegment>> create(const std::string& path);
    // kInvalidArgument: no segment, or of records in another format.
    static Result<std::shared_ptr<SpoolSegment>> open(const std::string& path);
    ~SpoolSegment();
    SpoolSegment(const SpoolSegment&) = delete;
    SpoolSegment& operator=(const SpoolSegment&) = delete;

    // Makes `out` an entry of these records, header and all.
    static void encode(std::span<const FlowRecord> records, std::string& out);
    // When the first of these flows ended, since 1970.
    static std::int64_t oldest_ms(std::span<const FlowRecord> records);
    // Whole or not at all; what was written of it is taken back.
    Status append(std::string_view entry);
    Status sync();

    // Null: there is no sound header.
    std::optional<SpoolEntry> entry_at(std::uint64_t offset) const;
    // Null: damaged, or no longer to be read.
    RecordBatchPtr read(std::uint64_t offset, const SpoolEntry& entry) const;

    std::uint64_t octets() const noexcept { return octets_; }
    // Whether it can be appended to: nothing that could not be taken back is at its end.
    bool sound() const noexcept { return sound_; }
    Status cut_off(std::uint64_t octets);

private:
    SpoolSegment(std::string path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {}
    Error failure(std::string_view what, int error) const;
    bool read_octets(std::uint64_t offset, char* to, std::size_t size) const;

    const std::string path_;
    const int descriptor_;
    std::uint64_t octets_ = 0;
    bool sound_ = true;
};

}  // namespace nfstreamd
