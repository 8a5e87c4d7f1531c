// SPDX-License-Identifier: Apache-2.0
// Our reader must deliver what libpcap delivers, also from odd and broken files.
#include "core/capture/pcap_file_reader.hpp"

#include <doctest/doctest.h>
#include <pcap/pcap.h>

#include <algorithm>
#include <array>
#include <random>

#include "core/capture/packet_source.hpp"
#include "tests/support/captured_log.hpp"
#include "tests/support/collecting_sink.hpp"
#include "tests/support/pcap_writer.hpp"
#include "tests/support/temporary_folder.hpp"

namespace nfstreamd {
namespace {

using namespace test;

constexpr PcapVariant kVariants[] = {{false, false}, {false, true}, {true, false}, {true, true}};

struct Reading {
    std::vector<CollectedFrame> frames;
    std::string error;  // of libpcap, or the log line of ours; empty: read to the end
};

Reading read_by_libpcap(const std::string& path) {
    Reading result;
    char reason[PCAP_ERRBUF_SIZE] = "";
    pcap_t* handle = pcap_open_offline_with_tstamp_precision(path.c_str(), PCAP_TSTAMP_PRECISION_NANO, reason);
    if (handle == nullptr) return {{}, reason};
    pcap_pkthdr* header;
    const u_char* data;
    int code;
    while ((code = pcap_next_ex(handle, &header, &data)) == 1) {
        std::int64_t fraction = header->ts.tv_usec;
        if (fraction < 0) fraction = fraction / 1'000'000 * 1'000'000;  // whole milliseconds, cut towards the second
        result.frames.push_back({std::int64_t{header->ts.tv_sec} * 1'000'000'000 + fraction,
                                 {data, data + header->caplen},
                                 header->len,
                                 pcap_datalink(handle)});
    }
    if (code != PCAP_ERROR_BREAK) result.error = pcap_geterr(handle);
    pcap_close(handle);
    return result;
}

Reading read_by_ours(const std::string& path) {
    CapturedLog log;
    CollectingSink sink;
    const auto source = make_file_source({path}, {}, log.logger());
    if (auto status = source->open(); !status) return {{}, status.error().message};
    for (;;) {
        auto outcome = source->poll(sink, std::chrono::milliseconds(0));
        REQUIRE(outcome);
        if (outcome.value() == PollOutcome::kEnd) break;
    }
    CHECK(sink.largest_vector <= kFrameVectorSize);
    CHECK(source->counters().frames.get() == sink.frames.size());
    return {std::move(sink.frames), log.text()};
}

void check_same(const std::string& path) {
    const auto expected = read_by_libpcap(path);
    const auto actual = read_by_ours(path);
    REQUIRE(actual.frames.size() == expected.frames.size());
    CHECK(actual.frames == expected.frames);
    CHECK(actual.error.empty() == expected.error.empty());
}

std::vector<std::uint8_t> octets_of(std::size_t size, std::mt19937& random) {
    std::vector<std::uint8_t> result(size);
    for (auto& octet : result) octet = static_cast<std::uint8_t>(random());
    return result;
}

TEST_CASE("PcapFileReader: random records are those of libpcap, in all four variants") {
    const TemporaryFolder folder;
    std::mt19937 random(7);
    for (const auto variant : kVariants) {
        CAPTURE(variant.swapped);
        CAPTURE(variant.nanoseconds);
        PcapWriter file(1, 262144, variant);
        // some megabytes, so that records of every kind cross the border of the buffer
        for (int i = 0; i < 3000; i++) {
            const std::size_t size = i % 7 == 0 ? random() % 9000 : random() % 1600;
            file.add(1700000000 + random() % 100, random() % 1000000, octets_of(size, random),
                     static_cast<std::uint32_t>(size + random() % 3 * 100 + 1));
        }
        const auto path = file.save(folder.path("random.pcap"));
        REQUIRE(read_by_libpcap(path).frames.size() == 3000);
        check_same(path);
    }
}

TEST_CASE("PcapFileReader: the largest records fit, behind each other and behind small ones") {
    const TemporaryFolder folder;
    std::mt19937 random(8);
    PcapWriter file;
    for (int i = 0; i < 6; i++) {
        file.add(1, 2, octets_of(262144, random));
        if (i > 2) file.add(1, 3, octets_of(60, random));
    }
    file.add(1, 4, {});
    check_same(file.save(folder.path("large.pcap")));
}

TEST_CASE("PcapFileReader: time stamps are those of libpcap, however odd") {
    const TemporaryFolder folder;
    constexpr std::uint32_t kOdd[] = {0, 1, 999999, 1000000, 0x7fffffff, 0x80000000, 4000000000, 0xffffffff};
    const std::uint8_t frame[20] = {};
    for (const auto variant : kVariants) {
        CAPTURE(variant.swapped);
        CAPTURE(variant.nanoseconds);
        PcapWriter file(1, 65535, variant);
        for (const auto seconds : kOdd) {
            for (const auto fraction : kOdd) file.add(seconds, fraction, frame);
        }
        check_same(file.save(folder.path("odd.pcap")));
    }
}

TEST_CASE("PcapFileReader: records above the snapshot length are cut as libpcap does") {
    const TemporaryFolder folder;
    std::mt19937 random(9);
    for (const std::uint32_t snapshot : {0u, 1u, 60u, 96u, 262144u, 262145u, 0x7fffffffu, 0xffffffffu}) {
        CAPTURE(snapshot);
        PcapWriter file(1, snapshot);
        for (const std::size_t size : {0, 1, 59, 60, 61, 95, 96, 97, 1500, 262144}) {
            file.add(1, 2, octets_of(size, random), 300000);
        }
        check_same(file.save(folder.path("cut.pcap")));
    }
}

TEST_CASE("PcapFileReader: a file cut at any offset gives what libpcap gives, and a warning inside a record") {
    const TemporaryFolder folder;
    std::mt19937 random(10);
    for (const auto variant : kVariants) {
        for (const std::uint32_t snapshot : {96u, 20u}) {
            PcapWriter whole(1, snapshot, variant);
            for (const std::size_t size : {40, 0, 25}) whole.add(5, 6, octets_of(size, random));
            const std::size_t records[] = {24, 24 + 56, 24 + 56 + 16, 24 + 56 + 16 + 41};
            REQUIRE(whole.octets().size() == records[3]);
            for (std::size_t size = 24; size <= whole.octets().size(); size++) {
                CAPTURE(size);
                PcapWriter cut = whole;
                cut.octets().resize(size);
                const auto path = cut.save(folder.path("cut.pcap"));
                check_same(path);
                if (std::ranges::count(records, size) != 0) continue;
                const auto begin = *(std::ranges::upper_bound(records, size) - 1);
                const auto log = read_by_ours(path).error;
                CHECK(log.find("capture file ends inside a packet file=") != std::string::npos);
                CHECK(log.find(" offset=" + std::to_string(begin) + " ") != std::string::npos);
            }
        }
    }
}

TEST_CASE("PcapFileReader: an impossible record length ends the file with a warning that has its offset") {
    const TemporaryFolder folder;
    const std::uint8_t frame[1000] = {};
    for (const auto variant : kVariants) {
        for (const std::uint32_t length : {262145u, 0x7fffffffu, 0xffffffffu}) {
            PcapWriter file(1, 262144, variant);
            file.add(1, 2, frame);
            file.add_header(1, 3, length, length);
            file.octets().insert(file.octets().end(), frame, frame + 1000);
            const auto path = file.save(folder.path("bad.pcap"));
            check_same(path);
            const auto ours = read_by_ours(path);
            CHECK(ours.frames.size() == 1);
            CHECK(ours.error.find("capture file is damaged file=") != std::string::npos);
            CHECK(ours.error.find(" offset=1040 ") != std::string::npos);
        }
    }
}

TEST_CASE("PcapFileReader: the link type is libpcap's DLT, whatever the file calls it") {
    const TemporaryFolder folder;
    const std::uint8_t frame[64] = {};
    // raw IP, HDLC PPP, cooked, cooked 2, null, loop, 802.11, Ethernet with FCS bits, CAN inside, USB, unknown
    for (const std::uint32_t link_type :
         {101u, 50u, 113u, 276u, 0u, 108u, 105u, 0x14000001u, 227u, 220u, 189u, 9999u}) {
        for (const auto variant : kVariants) {
            CAPTURE(link_type);
            PcapWriter file(link_type, 65535, variant);
            file.add(1, 2, frame);
            const auto path = file.save(folder.path("type.pcap"));
            const auto expected = read_by_libpcap(path);
            const auto actual = read_by_ours(path);
            REQUIRE(expected.error.empty());
            CHECK(actual.frames == expected.frames);
        }
    }
}

TEST_CASE("PcapFileReader: other versions and magics are read as libpcap reads them") {
    const TemporaryFolder folder;
    std::mt19937 random(11);
    for (const std::uint16_t minor : {0, 2, 3, 4, 5}) {
        CAPTURE(minor);
        PcapWriter file;
        file.octets()[6] = static_cast<std::uint8_t>(minor);
        file.add(1, 2, octets_of(60, random), 60);
        file.add(1, 3, octets_of(70, random), 70);
        check_same(file.save(folder.path("version.pcap")));
    }
    PcapWriter patched;  // a Linux patch of old: 8 octets more per record header
    for (std::size_t i = 0; i < 4; i++) patched.octets()[i] = std::array<std::uint8_t, 4>{0x34, 0xcd, 0xb2, 0xa1}[i];
    patched.add_header(1, 2, 60, 60);
    patched.octets().resize(patched.octets().size() + 8 + 60, 0x5a);
    const auto path = patched.save(folder.path("patched.pcap"));
    REQUIRE(read_by_libpcap(path).frames.size() == 1);
    check_same(path);
}

}  // namespace
}  // namespace nfstreamd
