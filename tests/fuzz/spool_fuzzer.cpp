// SPDX-License-Identifier: Apache-2.0
// A spool's folder as anybody may have left it: segments and a cursor, whose
// checksums are made right or left as they are. It must open, give each record it
// says it has or count it, take new ones, and be empty at the end. Then the same
// octets as records, which are read, written and read again. Segments may be damaged
// while they are read, and the disk may have no room.
#include <signal.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/crc32c.hpp"
#include "core/export/spool.hpp"
#include "core/record/record_codec.hpp"
#include "tests/fuzz/memory_file.hpp"
#include "tests/support/random_records.hpp"

namespace {

using namespace nfstreamd;
using fuzz::require;
namespace fs = std::filesystem;

constexpr std::size_t kHeader = SpoolSegment::kHeader, kEntryHeader = SpoolSegment::kEntryHeader;

Logger& quiet() {
    static Logger logger(LogLevel::kError, LogFormat::kText, -1);
    return logger;
}

void put(std::string& out, std::size_t at, std::uint64_t value, std::size_t octets) {
    for (std::size_t i = 0; i < octets; ++i) out[at + i] = static_cast<char>(value >> 8 * i);
}

// A segment's header: in front, sound.
std::string segment_header() {
    std::string header = "nfspool1";
    header.resize(kHeader);
    put(header, 8, record_format(), 8);
    put(header, kHeader - 4, crc32c(std::string_view(header).substr(0, kHeader - 4)), 4);
    return header;
}

// Octets of real records, one of them changed: by their number, the seed of the records, a place and what is there.
std::string octets_of_records(fuzz::Pieces& pieces, std::size_t records) {
    test::RandomRecords made(pieces.octet());
    std::string octets;
    append_records(octets, made.batch(0, records)->records);
    const std::size_t at = pieces.number16();
    const std::uint8_t change = pieces.octet();
    if (!octets.empty()) octets[at % octets.size()] = static_cast<char>(octets[at % octets.size()] ^ change);
    return octets;
}

// An entry around octets, or around real records: length and checksums are right.
std::string entry_of(fuzz::Pieces& pieces, bool real) {
    const std::size_t records = pieces.octet() % 8;
    const std::string octets = real ? octets_of_records(pieces, records) : fuzz::text_of(pieces.behind_its_length());
    std::string entry(kEntryHeader, '\0');
    put(entry, 0, octets.size(), 4);
    put(entry, 4, records, 4);
    put(entry, 8, 1'700'000'000'000, 8);
    put(entry, 16, crc32c(octets), 4);
    put(entry, 20, crc32c(std::string_view(entry).substr(0, 20)), 4);
    return entry + octets;
}

// By the first octet of each piece: sound entries, octets of any kind, the end of a segment.
// Returns how many octets the segments have.
std::uint64_t make_folder(fuzz::Pieces& pieces, const std::string& folder) {
    std::string segment = segment_header();
    std::uint64_t number = 1, octets = 0;
    const auto write = [&](const std::string& name, std::string_view text) {
        const int descriptor = ::open((folder + "/" + name).c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        require(descriptor >= 0 && ::write(descriptor, text.data(), text.size()) == static_cast<ssize_t>(text.size()),
                "a file can be written");
        ::close(descriptor);
    };
    const auto end_segment = [&] {
        char name[32];
        std::snprintf(name, sizeof name, "%016llx.spool", static_cast<unsigned long long>(number));
        write(name, segment);
        octets += segment.size();
        segment = segment_header();
    };
    for (int steps = 0; steps < 32 && !pieces.empty(); ++steps) {
        switch (pieces.octet() & 7) {
            case 0:
                segment += entry_of(pieces, false);
                break;
            case 1:
            case 2:
            case 3:
                segment += entry_of(pieces, true);
                break;
            case 4:  // what a crash leaves: less than was to be written, or anything
                segment.resize(segment.size() - std::min<std::size_t>(segment.size(), pieces.octet()));
                segment += fuzz::text_of(pieces.behind_its_length());
                break;
            case 5:
                segment = fuzz::text_of(pieces.behind_its_length());  // no header of ours
                break;
            case 6: {  // a cursor, mostly with a checksum
                const bool sound = (pieces.octet() & 3) != 0;
                const std::string numbers = fuzz::text_of(pieces.behind_its_length());
                char checksum[16];
                std::snprintf(checksum, sizeof checksum, " %08x\n", crc32c(numbers));
                write("cursor", sound ? numbers + checksum : numbers);
                break;
            }
            default:
                end_segment();
                number += 1 + pieces.octet() % 3;
        }
    }
    end_segment();
    return octets;
}

// To segments that are in use: one octet is another, the end is missing, or all of it is.
void damage(const std::string& folder, std::uint8_t kind, std::size_t at) {
    for (const auto& file : fs::directory_iterator(folder)) {
        if (file.path().extension() != ".spool") continue;
        const std::string path = file.path().string();
        const auto size = static_cast<std::size_t>(file.file_size());
        if (kind % 3 == 0) {
            fs::remove(path);
        } else if (kind % 3 == 1 && size != 0) {
            fs::resize_file(path, at % size);
        } else if (size != 0) {
            const int descriptor = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
            char octet = 0;
            const auto place = static_cast<off_t>(at % size);
            require(::pread(descriptor, &octet, 1, place) == 1, "an octet can be read");
            octet = static_cast<char>(octet ^ kind);
            require(::pwrite(descriptor, &octet, 1, place) == 1, "an octet can be written");
            ::close(descriptor);
        }
        if ((kind & 0x80) == 0) return;  // one of them
    }
}

// No file of this process becomes larger while it is there.
class FileLimit {
public:
    explicit FileLimit(std::optional<rlim_t> octets) {
        struct sigaction ignore {};
        ignore.sa_handler = SIG_IGN;  // a write fails with EFBIG
        ::sigaction(SIGXFSZ, &ignore, &handler_);
        ::getrlimit(RLIMIT_FSIZE, &before_);
        const rlimit limit{octets.value_or(before_.rlim_cur), before_.rlim_max};
        ::setrlimit(RLIMIT_FSIZE, &limit);
    }
    ~FileLimit() {
        ::setrlimit(RLIMIT_FSIZE, &before_);
        ::sigaction(SIGXFSZ, &handler_, nullptr);
    }
    FileLimit(const FileLimit&) = delete;
    FileLimit& operator=(const FileLimit&) = delete;

private:
    rlimit before_{};
    struct sigaction handler_ {};
};

struct Trouble {
    std::optional<std::size_t> damaged_after;  // batches
    std::uint8_t kind = 0;
    std::size_t at = 0;
    std::optional<rlim_t> room;  // for new records
};

void check_spool(Spool& spool, std::uint64_t octets, const Trouble& trouble) {
    const SpoolCounters& counters = spool.counters();
    require(counters.torn_octets.get() <= octets, "no more is cut off than was there");
    const std::uint64_t there = counters.records.get();
    std::uint64_t given = 0;
    SpoolPosition last;
    for (std::size_t batches = 0; batches < 1000; ++batches) {
        if (batches == trouble.damaged_after) damage(spool.folder(), trouble.kind, trouble.at);
        const auto [batch, place] = spool.read();
        if (!batch) break;
        require(place.skip < batch->records.size(), "a batch has a record to give");
        require(last <= place, "records come in their order");
        last = place;
        given += batch->records.size() - place.skip;
        if (batches == 0 && batch->records.size() > place.skip + 1) {  // one of them has gone, the rest comes again
            SpoolPosition again = place;
            ++again.skip;
            spool.rewind(again, batch->records.size() - place.skip - 1);
            given -= batch->records.size() - place.skip - 1;
        }
    }
    require(spool.drained(), "a spool ends");
    require(given + counters.discarded.get() == there, "each record is given or counted");
    spool.commit(spool.position());

    RecordBatch fresh;
    fresh.records.resize(2);
    fresh.records[0].id = 7;
    const bool is_taken = [&] {
        const FileLimit limit(trouble.room);
        return spool.append(fresh.records);
    }();
    if (!is_taken) {  // as small as it may be, with what was set aside; or the disk has no room
        spool.count_dropped(fresh.records.size());
        require(counters.dropped_full.get() + counters.dropped_failed.get() == fresh.records.size(),
                "what is not taken is counted");
        return;
    }
    spool.tend(Spool::Clock::now() + std::chrono::hours(1));
    const auto back = spool.read();
    require(back.batch && back.batch->records.size() == 2 && back.batch->records[0].id == 7, "and gives them back");
    spool.commit(spool.position());
    require(counters.records.get() == 0, "nothing is left");
}

void check_codec(std::string_view octets, std::size_t count) {
    RecordBatch first, second;
    if (!read_records(octets, count, first)) return;
    std::string written, again;
    append_records(written, first.records);
    require(read_records(written, count, second), "what was written can be read");
    append_records(again, second.records);
    require(again == written, "and is the same");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
    static const fuzz::MemoryFolder place;
    fuzz::Pieces pieces(input, size);
    constexpr std::uint8_t kCodec = 1, kRealRecords = 2, kSmall = 4, kDamaged = 8, kNoRoom = 16;
    const std::uint8_t choice = pieces.octet();
    if ((choice & kCodec) != 0) {
        const std::size_t count = pieces.octet() % 8;
        const std::string octets =
            (choice & kRealRecords) != 0 ? octets_of_records(pieces, count) : fuzz::text_of(pieces.rest());
        const fuzz::HeapBlock block({reinterpret_cast<const std::uint8_t*>(octets.data()), octets.size()});
        check_codec({reinterpret_cast<const char*>(block.octets().data()), block.octets().size()}, count);
        return 0;
    }
    Trouble trouble;
    if ((choice & kDamaged) != 0) {
        trouble.damaged_after = pieces.octet() % 8;
        trouble.kind = pieces.octet();
        trouble.at = pieces.number16();
    }
    if ((choice & kNoRoom) != 0) trouble.room = pieces.octet();
    const std::string folder = place.path() + "/main";
    fs::create_directory(folder);
    const std::uint64_t octets = make_folder(pieces, folder);
    for (int runs = 0; runs < 2; ++runs) {
        Spool spool({place.path(), (choice & kSmall) != 0 ? 100u : 1u << 20}, "main", quiet());
        require(spool.ready(Spool::Clock::now()), "a spool opens, whatever is there");
        require(SpoolFolder(place.path(), "main").check().has_value(), "its own process may have it next");
        check_spool(spool, octets, trouble);
        spool.close();
    }
    fs::remove_all(folder);
    return 0;
}
