// SPDX-License-Identifier: Apache-2.0
#include "core/export/spool.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <filesystem>
#include <random>

#include "tests/support/captured_log.hpp"
#include "tests/support/files.hpp"
#include "tests/support/random_records.hpp"
#include "tests/support/recording_exporter.hpp"

namespace nfstreamd {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using test::make_batch;
using Ids = std::vector<std::uint64_t>;
using Clock = Spool::Clock;

constexpr std::uint64_t kMost = 1 << 20;

Ids numbers(std::uint64_t first, std::uint64_t count) {
    Ids ids;
    for (std::uint64_t i = 0; i < count; ++i) ids.push_back(first + i);
    return ids;
}

// A folder of spools that come and go; time passes as the test says.
struct Disk {
    test::ScratchFolder folder;
    test::CapturedLog log;
    std::unique_ptr<Spool> spool;
    Clock::time_point now = Clock::now();
    std::uint64_t max_octets = kMost;

    Spool& start(const std::string& place = "here") {
        spool.reset();
        spool = std::make_unique<Spool>(SpoolOptions{folder.path(place), max_octets}, "main", log.logger());
        REQUIRE(spool->ready(now));
        return *spool;
    }
    void pass_a_second() {
        now += 1s;
        spool->tend(now);
    }
    void append(std::uint64_t first, std::size_t batches, std::size_t size = 4) {
        for (std::size_t i = 0; i < batches; ++i) REQUIRE(spool->append(make_batch(first + i * size, size)->records));
    }
    // As a process leaves it that is killed now.
    std::string crash() {
        static int copies = 0;
        const std::string place = "copy" + std::to_string(copies++);
        fs::copy(folder.path("here"), folder.path(place), fs::copy_options::recursive);
        return place;
    }
    std::vector<std::string> segments(const std::string& place = "here") const {
        std::vector<std::string> paths;
        for (const auto& entry : fs::directory_iterator(folder.path(place) + "/main"))
            if (entry.path().extension() == ".spool") paths.push_back(entry.path().string());
        std::sort(paths.begin(), paths.end());
        return paths;
    }
};

Ids read_ids(Spool& spool, std::size_t batches = 1'000'000) {
    Ids ids;
    for (; batches > 0; --batches) {
        const auto [batch, place] = spool.read();
        if (!batch) break;
        for (std::size_t i = place.skip; i < batch->records.size(); ++i) ids.push_back(batch->records[i].id);
    }
    return ids;
}

TEST_CASE("Spool: gives back what it took, oldest first, and leaves no file behind") {
    Disk disk;
    Spool& spool = disk.start();
    CHECK(spool.drained());
    disk.append(0, 10);
    CHECK_FALSE(spool.drained());
    CHECK(spool.counters().records.get() == 40);
    CHECK(disk.segments().size() == 1);
    CHECK(read_ids(spool, 3) == numbers(0, 12));
    disk.append(40, 2);
    CHECK(read_ids(spool) == numbers(12, 36));
    CHECK(spool.drained());
    CHECK(spool.counters().written.get() == 48);
    CHECK(spool.counters().read.get() == 48);
    CHECK(disk.segments().size() == 1);  // not committed
    spool.commit(spool.position());
    CHECK(disk.segments().empty());
    CHECK(spool.counters().octets.get() == 0);
    CHECK(spool.counters().segments.get() == 0);
    disk.append(48, 1);
    CHECK(read_ids(spool) == numbers(48, 4));
}

TEST_CASE("Spool: records come back whole") {
    Disk disk;
    Spool& spool = disk.start();
    const auto batch = test::RandomRecords(7).batch(0, 64);
    REQUIRE(spool.append(batch->records));
    const auto back = spool.read();
    REQUIRE(back.batch);
    REQUIRE(back.batch->records.size() == 64);
    for (std::size_t i = 0; i < 64; ++i) CHECK(test::difference(batch->records[i], back.batch->records[i]) == "");
}

TEST_CASE("Spool: is where it was after a restart") {
    Disk disk;
    Spool& first = disk.start();
    disk.append(0, 10);
    REQUIRE(read_ids(first, 2) == numbers(0, 8));
    auto place = first.position();
    place.skip = 3;  // of the third batch, too, three are delivered
    first.commit(place);
    Spool& second = disk.start();
    CHECK(second.counters().recovered.get() == 29);
    CHECK(second.counters().records.get() == 29);
    CHECK(disk.log.contains("records of an earlier run are in the spool"));
    disk.append(40, 1);
    CHECK(read_ids(second) == numbers(11, 33));
    second.commit(second.position());
    Spool& third = disk.start();
    CHECK(third.counters().recovered.get() == 0);
    CHECK(third.drained());
}

TEST_CASE("Spool: without its cursor it begins with its oldest segment") {
    Disk disk;
    disk.start();
    disk.append(0, 5);
    read_ids(*disk.spool, 2);
    disk.spool->commit(disk.spool->position());
    disk.spool->close();
    disk.folder.file("here/main/cursor", "1 2 3");
    CHECK(read_ids(disk.start()) == numbers(0, 20));
}

TEST_CASE("Spool: a cursor behind any segment costs no record, and new ones come after the old") {
    Disk disk;
    disk.start();
    disk.append(0, 5);
    disk.spool->close();
    REQUIRE(SpoolFolder(disk.folder.path("here"), "main").write_cursor({.segment = ~std::uint64_t{0}}));
    disk.start();
    disk.append(20, 2);
    CHECK(read_ids(*disk.spool) == numbers(0, 28));
}

TEST_CASE("Spool: goes back to what was not confirmed") {
    Disk disk;
    Spool& spool = disk.start();
    disk.append(0, 6);
    spool.read();
    const auto second = spool.read().place;
    read_ids(spool);
    auto third_of_second = second;
    third_of_second.skip = 2;
    spool.rewind(third_of_second, 18);
    CHECK(spool.counters().records.get() == 18);
    CHECK(read_ids(spool) == numbers(6, 18));
}

TEST_CASE("Spool: after a crash everything is there that was not committed a second before") {
    Disk disk;
    Spool& spool = disk.start();
    disk.append(0, 10);
    read_ids(spool, 2);
    spool.commit(spool.position());
    disk.pass_a_second();
    read_ids(spool, 3);
    spool.commit(spool.position());
    disk.append(40, 1);
    const auto copy = disk.crash();
    CHECK(read_ids(disk.start(copy)) == numbers(8, 36));
}

TEST_CASE("Spool: cut off anywhere, it gives exactly the records that are whole") {
    Disk disk;
    disk.start();
    std::vector<std::uint64_t> ends;  // of entries
    for (std::uint64_t i = 0; i < 5; ++i) {
        disk.append(3 * i, 1, 3);
        ends.push_back(disk.spool->counters().octets.get());
    }
    disk.spool->close();
    const std::string whole = test::read_file(disk.segments()[0]);
    REQUIRE(whole.size() == ends.back());
    for (std::size_t size = 0; size <= whole.size(); ++size) {
        const test::ScratchFolder folder;
        fs::create_directories(folder.path("main"));
        folder.file("main/" + fs::path(SpoolFolder("", "main").segment(1)).filename().string(), whole.substr(0, size));
        Spool spool({folder.path(""), kMost}, "main", test::quiet_logger());
        REQUIRE(spool.ready(Clock::now()));
        const auto entries = static_cast<std::size_t>(
            std::count_if(ends.begin(), ends.end(), [size](std::uint64_t end) { return end <= size; }));
        const bool has_header = size >= SpoolSegment::kHeader;
        CHECK(spool.counters().foreign_segments.get() == (has_header ? 0 : 1));
        CHECK(spool.counters().recovered.get() == 3 * entries);
        const std::uint64_t sound = entries == 0 ? SpoolSegment::kHeader : ends[entries - 1];
        CHECK(spool.counters().torn_octets.get() == (has_header ? size - sound : 0));
        Ids expected = numbers(0, 3 * entries);
        if (size % 16 == 0) {  // and what comes later; it takes a sync
            REQUIRE(spool.append(make_batch(100, 2)->records));
            expected.insert(expected.end(), {100, 101});
        }
        CHECK(read_ids(spool) == expected);
    }
}

TEST_CASE("Spool: an octet that has changed costs its entry or what is behind it, never gives a wrong record") {
    Disk disk;
    disk.start();
    std::vector<std::uint64_t> begins;
    for (std::uint64_t i = 0; i < 4; ++i) {
        begins.push_back(i == 0 ? SpoolSegment::kHeader : disk.spool->counters().octets.get());
        disk.append(2 * i, 1, 2);
    }
    disk.spool->close();
    const std::string whole = test::read_file(disk.segments()[0]);
    for (std::size_t at = 0; at < whole.size(); ++at) {
        std::string damaged = whole;
        damaged[at] = static_cast<char>(damaged[at] ^ (1 << at % 8));
        const test::ScratchFolder folder;
        fs::create_directories(folder.path("main"));
        folder.file("main/" + fs::path(SpoolFolder("", "main").segment(1)).filename().string(), damaged);
        Spool spool({folder.path(""), kMost}, "main", test::quiet_logger());
        REQUIRE(spool.ready(Clock::now()));
        Ids expected;
        std::size_t entry = 4;
        while (entry > 0 && begins[entry - 1] > at) --entry;  // from 1
        const bool in_header = entry > 0 && at < begins[entry - 1] + SpoolSegment::kEntryHeader;
        for (std::size_t i = 0; i < 4 && entry > 0; ++i)
            if (in_header ? i + 1 < entry : i + 1 != entry) {
                expected.push_back(2 * i);
                expected.push_back(2 * i + 1);
            }
        CHECK(read_ids(spool) == expected);
        CHECK(spool.drained());
        CHECK(spool.counters().foreign_segments.get() == (entry == 0 ? 1 : 0));
        CHECK(spool.counters().recovered.get() == expected.size() + spool.counters().discarded.get());
        CHECK(spool.counters().discarded.get() == (entry > 0 && !in_header ? 2 : 0));
        CHECK((spool.counters().torn_octets.get() > 0) == (entry > 0 && in_header));
    }
}

TEST_CASE("Spool: records that are damaged while it is open are discarded once, also when it goes back") {
    Disk disk;
    Spool& spool = disk.start();
    disk.append(0, 3);
    const auto first = spool.read().place;
    const std::string path = disk.segments()[0];
    std::string octets = test::read_file(path);
    octets[octets.size() / 2] = static_cast<char>(octets[octets.size() / 2] ^ 1);  // of the second
    std::fstream(path, std::ios::in | std::ios::out | std::ios::binary) << octets;
    CHECK(read_ids(spool) == numbers(8, 4));
    CHECK(spool.counters().discarded.get() == 4);
    spool.rewind(first, 8);
    CHECK(spool.counters().records.get() + spool.counters().discarded.get() == 12);
    Ids all = numbers(0, 4);
    for (const auto id : numbers(8, 4)) all.push_back(id);
    CHECK(read_ids(spool) == all);
    CHECK(spool.counters().discarded.get() == 4);
    CHECK(disk.log.contains("spool failing"));
}

TEST_CASE("Spool: a file of another version is set aside, said, and not read") {
    Disk disk;
    disk.start();
    disk.append(0, 2);
    disk.spool->close();
    const std::string path = disk.segments()[0];
    std::string octets = test::read_file(path);
    octets[9] = static_cast<char>(octets[9] ^ 1);  // of the format
    std::ofstream(path, std::ios::binary) << octets;
    Spool& spool = disk.start();
    CHECK(spool.drained());
    CHECK(spool.counters().foreign_segments.get() == 1);
    CHECK(test::read_file(path + ".foreign") == octets);
    CHECK(disk.log.contains("set aside"));
    disk.append(8, 1);
    CHECK(read_ids(spool) == numbers(8, 4));
}

TEST_CASE("Spool: when it is full the newest are dropped, until segments are done with") {
    Disk disk;
    Spool& spool = disk.start();
    std::uint64_t id = 0;
    while (spool.append(make_batch(id, 64)->records)) id += 64;
    CHECK(spool.counters().octets.get() <= kMost);
    CHECK(spool.counters().octets.get() > kMost * 9 / 10);
    spool.count_dropped(64);
    CHECK(spool.counters().dropped_full.get() == 64);
    CHECK(spool.counters().dropped_failed.get() == 0);
    CHECK_FALSE(spool.has_room(disk.now));
    CHECK(disk.log.count("spool is full") == 1);
    CHECK(disk.segments().size() > 10);
    std::uint64_t on_disk = 0;
    for (const auto& path : disk.segments()) on_disk += fs::file_size(path);
    CHECK(on_disk == spool.counters().octets.get());

    Ids ids;
    while (!spool.has_room(disk.now)) {
        const auto some = read_ids(spool, 1);
        ids.insert(ids.end(), some.begin(), some.end());
        spool.commit(spool.position());
    }
    disk.append(id, 1, 64);
    const auto rest = read_ids(spool);
    ids.insert(ids.end(), rest.begin(), rest.end());
    CHECK(ids == numbers(0, id + 64));
}

TEST_CASE("Spool: a disk without room costs what it cannot take, and is tried again") {
    Disk disk;
    Spool& spool = disk.start();
    disk.append(0, 4);
    const auto size = spool.counters().octets.get();
    {
        const test::FileSizeLimit limit(size + 50);  // a part of the next fits
        CHECK_FALSE(spool.append(make_batch(16, 4)->records));
        CHECK_FALSE(spool.append(make_batch(20, 4)->records));
        spool.count_dropped(8);
    }
    CHECK(spool.counters().dropped_failed.get() == 8);
    CHECK(spool.counters().failures.get() == 2);
    CHECK(disk.log.count("spool failing") == 1);
    CHECK_FALSE(spool.has_room(Clock::now()));
    CHECK(spool.has_room(Clock::now() + 2s));
    CHECK(fs::file_size(disk.segments()[0]) == size);  // what was written of it is taken back
    disk.append(24, 1);
    Ids expected = numbers(0, 16);
    for (const auto id : numbers(24, 4)) expected.push_back(id);
    CHECK(read_ids(spool) == expected);
}

TEST_CASE("Spool: without the folder records are dropped and counted, nothing else happens") {
    Disk disk;
    Spool& spool = disk.start();
    fs::remove_all(disk.folder.path("here"));
    CHECK_FALSE(spool.append(make_batch(0, 4)->records));
    spool.count_dropped(4);
    CHECK(spool.counters().dropped_failed.get() == 4);
    CHECK(spool.drained());
    disk.pass_a_second();
    CHECK(read_ids(spool).empty());
}

TEST_CASE("Spool: tells the age of the oldest record") {
    Disk disk;
    Spool& spool = disk.start();
    auto batch = std::make_shared<RecordBatch>();
    for (const TimestampNs last : {1'700'000'002'000'000'000, 1'700'000'001'500'000'000}) {
        batch->records.emplace_back().forward.last = last;
        REQUIRE(spool.append(batch->records));
        CHECK(spool.counters().oldest_ms.get() == 1'700'000'002'000);  // at once, as soon as there are records
    }
    disk.pass_a_second();
    CHECK(spool.counters().oldest_ms.get() == 1'700'000'002'000);
    spool.read();
    disk.pass_a_second();
    CHECK(spool.counters().oldest_ms.get() == 1'700'000'001'500);
    spool.read();
    disk.pass_a_second();
    CHECK(spool.counters().records.get() == 0);
    CHECK(spool.counters().oldest_ms.get() == 1'700'000'001'500);  // of the last one
    batch->records.assign(1, {});
    batch->records[0].forward.last = 1'700'000'003'000'000'000;
    REQUIRE(spool.append(batch->records));
    CHECK(spool.counters().oldest_ms.get() == 1'700'000'003'000);
}

// Everything at random, crashes included, against a list of ids.
TEST_CASE("Spool: whatever happens to it, records come in order, none twice, none missing") {
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
        CAPTURE(seed);
        std::mt19937_64 random(seed);
        Disk disk;
        Spool* spool = &disk.start();
        std::uint64_t next_id = 0, committed = 0, stored = 0, read = 0;  // ids before which all is ...
        std::deque<std::pair<SpoolPosition, std::uint64_t>> open;        // read and not committed: with the first id
        for (int step = 0; step < 400; ++step) {
            switch (random() % 12) {
                case 0:
                case 1:
                case 2:
                case 3: {
                    const std::size_t size = random() % 200 + 1;
                    if (spool->append(make_batch(next_id, size)->records)) next_id += size;
                    break;
                }
                case 4:
                case 5:
                case 6: {
                    const auto [batch, place] = spool->read();
                    REQUIRE((batch != nullptr) == (read < next_id));
                    if (!batch) break;
                    REQUIRE(batch->records[place.skip].id == read);
                    open.emplace_back(place, read);
                    read += batch->records.size() - place.skip;
                    break;
                }
                case 7:
                case 8:
                    for (auto count = random() % 4; count > 0 && !open.empty(); --count) open.pop_front();
                    committed = open.empty() ? read : open.front().second;
                    spool->commit(open.empty() ? spool->position() : open.front().first);
                    break;
                case 9:
                    if (open.empty()) break;
                    {
                        const auto at = random() % open.size();
                        spool->rewind(open[at].first, read - open[at].second);
                        read = open[at].second;
                        open.resize(at);
                    }
                    break;
                case 10:
                    disk.pass_a_second();
                    stored = committed;
                    break;
                case 11:
                    if (random() % 4 != 0) break;
                    const bool killed = random() % 2 == 0;
                    if (killed) {
                        const auto copy = disk.crash();
                        spool->close();
                        fs::remove_all(disk.folder.path("here"));
                        fs::rename(disk.folder.path(copy), disk.folder.path("here"));
                    } else {
                        stored = committed;
                    }
                    spool = &disk.start();
                    // segments that were done with are gone, whatever the cursor says
                    const auto oldest = next_id - spool->counters().recovered.get();
                    REQUIRE(oldest >= stored);
                    REQUIRE(oldest <= committed);
                    read = committed = oldest;
                    open.clear();
                    break;
            }
            REQUIRE(spool->counters().records.get() == next_id - read);
            REQUIRE(spool->counters().discarded.get() == 0);
        }
        CHECK(read_ids(*spool) == numbers(read, next_id - read));
    }
}

}  // namespace
}  // namespace nfstreamd
