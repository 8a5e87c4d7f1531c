// SPDX-License-Identifier: Apache-2.0
#include "core/export/spool_segment.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <limits>
#include <system_error>
#include <utility>

#include "core/base/crc32c.hpp"
#include "core/record/record_codec.hpp"

namespace nfstreamd {
namespace {

constexpr std::string_view kMagic = "nfspool1";
constexpr mode_t kMode = 0640;
constexpr std::size_t kChecksum = 4;  // octets, the last of each header

// Least significant octet first, whatever the machine.
void put(std::string& out, std::uint64_t value, std::size_t octets) {
    for (std::size_t i = 0; i < octets; ++i) out += static_cast<char>(value >> 8 * i);
}

std::uint64_t number(std::string_view octets) {
    std::uint64_t value = 0;
    for (std::size_t i = octets.size(); i > 0; --i) value = value << 8 | static_cast<unsigned char>(octets[i - 1]);
    return value;
}

bool has_checksum(std::string_view header) {
    const auto covered = header.size() - kChecksum;
    return number(header.substr(covered)) == crc32c(header.substr(0, covered));
}

std::string header_of_segment() {
    std::string header(kMagic);
    put(header, record_format(), 8);
    header.resize(SpoolSegment::kHeader - kChecksum);
    put(header, crc32c(header), kChecksum);
    return header;
}

}  // namespace

std::int64_t SpoolSegment::oldest_ms(std::span<const FlowRecord> records) {
    TimestampNs oldest = std::numeric_limits<TimestampNs>::max();
    for (const auto& record : records) oldest = std::min(oldest, record.last());
    return oldest / 1'000'000;
}

SpoolSegment::~SpoolSegment() {
    ::close(descriptor_);
}

Error SpoolSegment::failure(std::string_view what, int error) const {
    return {ErrorCode::kIo, std::string(what) + ": " + std::generic_category().message(error), path_};
}

Result<std::shared_ptr<SpoolSegment>> SpoolSegment::create(const std::string& path) {
    const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, kMode);
    if (descriptor < 0) return Error{ErrorCode::kIo, "cannot create: " + std::generic_category().message(errno), path};
    std::shared_ptr<SpoolSegment> segment(new SpoolSegment(path, descriptor));
    if (auto written = segment->append(header_of_segment()); !written) {
        ::unlink(path.c_str());
        return written.error();
    }
    return segment;
}

Result<std::shared_ptr<SpoolSegment>> SpoolSegment::open(const std::string& path) {
    const int descriptor = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
    if (descriptor < 0)
        return Error{errno == ENOENT ? ErrorCode::kNotFound : ErrorCode::kIo,
                     "cannot open: " + std::generic_category().message(errno), path};
    std::shared_ptr<SpoolSegment> segment(new SpoolSegment(path, descriptor));
    struct stat info {};
    if (::fstat(descriptor, &info) != 0) return segment->failure("cannot inspect", errno);
    segment->octets_ = static_cast<std::uint64_t>(info.st_size);
    std::string header(kHeader, '\0');
    if (!segment->read_octets(0, header.data(), header.size()) || header != header_of_segment())
        return Error{ErrorCode::kInvalidArgument, "holds no records that this version can read", path};
    return segment;
}

void SpoolSegment::encode(std::span<const FlowRecord> records, std::string& out) {
    out.assign(kEntryHeader, '\0');
    append_records(out, records);
    const std::string_view octets = std::string_view(out).substr(kEntryHeader);
    std::string header;
    put(header, octets.size(), 4);
    put(header, records.size(), 4);
    put(header, static_cast<std::uint64_t>(oldest_ms(records)), 8);
    put(header, crc32c(octets), 4);
    put(header, crc32c(header), kChecksum);
    out.replace(0, kEntryHeader, header);
}

Status SpoolSegment::append(std::string_view entry) {
    std::size_t written = 0;
    while (written < entry.size()) {
        const auto n = ::pwrite(descriptor_, entry.data() + written, entry.size() - written,
                                static_cast<off_t>(octets_ + written));
        if (n > 0) {
            written += static_cast<std::size_t>(n);
        } else if (n == 0 || errno != EINTR) {
            const int error = n == 0 ? ENOSPC : errno;
            if (written > 0) sound_ = ::ftruncate(descriptor_, static_cast<off_t>(octets_)) == 0;
            return failure("cannot write", error);
        }
    }
    octets_ += written;
    return ok();
}

Status SpoolSegment::sync() {
    if (::fdatasync(descriptor_) != 0) return failure("cannot sync", errno);
    return ok();
}

Status SpoolSegment::cut_off(std::uint64_t octets) {
    octets_ = octets;
    if (::ftruncate(descriptor_, static_cast<off_t>(octets)) != 0) return failure("cannot cut off what is torn", errno);
    return ok();
}

std::optional<SpoolEntry> SpoolSegment::entry_at(std::uint64_t offset) const {
    std::string octets(kEntryHeader, '\0');
    if (offset > octets_ || octets_ - offset < kEntryHeader) return std::nullopt;
    if (!read_octets(offset, octets.data(), octets.size()) || !has_checksum(octets)) return std::nullopt;
    const std::string_view header = octets;
    SpoolEntry entry;
    entry.octets = static_cast<std::uint32_t>(number(header.substr(0, 4)));
    entry.records = static_cast<std::uint32_t>(number(header.substr(4, 4)));
    entry.oldest_ms = static_cast<std::int64_t>(number(header.substr(8, 8)));
    entry.checksum = static_cast<std::uint32_t>(number(header.substr(16, 4)));
    if (entry.octets > octets_ - offset - kEntryHeader) return std::nullopt;
    return entry;
}

RecordBatchPtr SpoolSegment::read(std::uint64_t offset, const SpoolEntry& entry) const {
    std::string octets(entry.octets, '\0');
    if (!read_octets(offset + kEntryHeader, octets.data(), octets.size())) return nullptr;
    if (crc32c(octets) != entry.checksum) return nullptr;
    auto batch = std::make_shared<RecordBatch>();
    return read_records(octets, entry.records, *batch) ? batch : nullptr;
}

bool SpoolSegment::read_octets(std::uint64_t offset, char* to, std::size_t size) const {
    while (size > 0) {
        const auto n = ::pread(descriptor_, to, size, static_cast<off_t>(offset));
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        to += n;
        offset += static_cast<std::uint64_t>(n);
        size -= static_cast<std::size_t>(n);
    }
    return true;
}

}  // namespace nfstreamd
