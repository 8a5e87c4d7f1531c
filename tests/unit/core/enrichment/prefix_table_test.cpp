// SPDX-License-Identifier: Apache-2.0
#include "core/enrichment/prefix_table.hpp"

#include <doctest/doctest.h>

#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "tests/support/addresses.hpp"

using namespace nfstreamd;
using test::address;

namespace {

std::unique_ptr<const PrefixTable> parse(const std::string& text) {
    std::vector<Error> errors;
    auto table = PrefixTable::parse(text, "n.csv", errors);
    for (const auto& error : errors) MESSAGE(error.text());
    REQUIRE(table != nullptr);
    CHECK(errors.empty());
    return table;
}

std::vector<std::string> problems(const std::string& text) {
    std::vector<Error> errors;
    CHECK(PrefixTable::parse(text, "n.csv", errors) == nullptr);
    std::vector<std::string> out;
    for (const auto& error : errors) out.push_back(error.text());
    return out;
}

std::string label(const PrefixTable& table, const std::string& of) {
    const auto* entry = table.find(address(of));
    return entry == nullptr ? "-" : std::string(entry->label);
}

// The first `bits` bits of a random address, and whether an address has the same.
struct RandomPrefix {
    IpAddress network;
    unsigned bits = 0;

    bool holds(const IpAddress& other) const {
        if (other.version != network.version) return false;
        for (unsigned bit = 0; bit < bits; ++bit)
            if (((network.bytes[bit / 8] ^ other.bytes[bit / 8]) >> (7 - bit % 8) & 1) != 0) return false;
        return true;
    }
};

class RandomNetworks {
public:
    explicit RandomNetworks(std::uint32_t seed) : random_(seed) {}

    // Few values of each octet, so that prefixes and addresses meet.
    IpAddress address(std::uint8_t version) {
        IpAddress out{.version = version};
        for (std::size_t i = 0; i < (version == 4 ? 4 : 16); ++i)
            out.bytes[i] = kOctets[random_() % std::size(kOctets)];
        return out;
    }
    RandomPrefix prefix() {
        RandomPrefix out;
        const std::uint8_t version = random_() % 2 ? 4 : 6;
        out.network = address(version);
        const unsigned most = version == 4 ? 32 : 128;
        out.bits = static_cast<unsigned>(random_() % (most + 1));
        for (unsigned bit = out.bits; bit < most; ++bit)
            out.network.bytes[bit / 8] &= static_cast<std::uint8_t>(~(0x80u >> bit % 8));
        return out;
    }

private:
    static constexpr std::uint8_t kOctets[] = {0, 1, 0x7f, 0x80, 0xaa, 0xfe, 0xff};
    std::mt19937 random_;
};

}  // namespace

TEST_CASE("PrefixTable: the longest prefix that holds an address is found, both address families") {
    const auto table = parse(
        "prefix,label,asn,country\n"
        "10.0.0.0/8,ours\n10.1.0.0/16,\"lab, upstairs\",64500,de\n10.1.2.3,one,AS64501\n"
        "2001:db8::/32,six,,FR\n2001:db8:1::/48,deeper\n# all the rest\n0.0.0.0/0,world\n");
    CHECK(table->size() == 6);
    CHECK(label(*table, "10.2.3.4") == "ours");
    CHECK(label(*table, "10.1.2.4") == "lab, upstairs");
    CHECK(label(*table, "10.1.2.3") == "one");
    CHECK(label(*table, "11.0.0.0") == "world");
    CHECK(label(*table, "9.255.255.255") == "world");
    CHECK(label(*table, "255.255.255.255") == "world");
    CHECK(label(*table, "2001:db8:2::1") == "six");
    CHECK(label(*table, "2001:db8:1:ffff::1") == "deeper");
    CHECK(label(*table, "2001:db9::") == "-");
    CHECK(table->find(IpAddress{}) == nullptr);
    const auto* lab = table->find(address("10.1.0.0"));
    CHECK(lab->asn == 64500);
    CHECK(lab->country() == "DE");
    CHECK(table->find(address("10.1.2.3"))->asn == 64501);
    CHECK(table->find(address("2001:db8::1"))->asn == 0);
    CHECK(table->find(address("2001:db8::1"))->country() == "FR");
    CHECK(table->find(address("10.0.0.1"))->country().empty());
}

TEST_CASE("PrefixTable: IPv4-mapped prefixes are IPv4") {
    const auto table = parse("::ffff:192.0.2.0/120,mapped\n::/0,six\n");
    CHECK(label(*table, "192.0.2.9") == "mapped");
    CHECK(label(*table, "192.0.3.9") == "-");
    CHECK(label(*table, "::1") == "six");
}

TEST_CASE("PrefixTable: agrees with a look at every prefix, for random prefixes and addresses") {
    for (std::uint32_t seed = 1; seed <= 40; ++seed) {
        RandomNetworks networks(seed);
        std::map<std::string, RandomPrefix> prefixes;
        for (std::size_t i = 0; i < seed * 5; ++i) {
            const auto prefix = networks.prefix();
            prefixes[to_string(prefix.network) + "/" + std::to_string(prefix.bits)] = prefix;
        }
        std::string text;
        for (const auto& [name, prefix] : prefixes) text += name + "," + name + "\n";
        const auto table = parse(text);
        for (int i = 0; i < 400; ++i) {
            const IpAddress asked = networks.address(i % 2 ? 4 : 6);
            std::string best = "-";
            int bits = -1;
            for (const auto& [name, prefix] : prefixes)
                if (prefix.holds(asked) && static_cast<int>(prefix.bits) > bits) {
                    best = name;
                    bits = static_cast<int>(prefix.bits);
                }
            const auto* found = table->find(asked);
            CAPTURE(seed);
            CAPTURE(to_string(asked));
            REQUIRE((found == nullptr ? "-" : std::string(found->label)) == best);
        }
    }
}

TEST_CASE("PrefixTable: every line that is wrong is named") {
    using Lines = std::vector<std::string>;
    CHECK(problems("10.0.0.0/8,a\n10.0.0.1/8,b\nx,c\n10.0.0.0/33,d\n1.2.3.4/,e\n9.9.9.9\n") ==
          Lines{"n.csv:2: \"10.0.0.1/8\" has bits behind its length: 10.0.0.0/8 would hold it",
                "n.csv:3: \"x\" is no prefix, ADDRESS[/BITS]", "n.csv:4: \"10.0.0.0/33\": its length must be 0 to 32",
                "n.csv:5: \"1.2.3.4/\": its length must be 0 to 32", "n.csv:6: must be prefix,label[,asn][,country]"});
    CHECK(problems("1.0.0.0/8,a,AS,DE\n2.0.0.0/8,b,1,D1\n3.0.0.0/8,c,4294967296\n4.0.0.0/8,d,1,DE,x\n") ==
          Lines{"n.csv:1: \"AS\" is no number of an autonomous system",
                "n.csv:2: \"D1\" is no country: its two letters are wanted, such as DE",
                "n.csv:3: \"4294967296\" is no number of an autonomous system",
                "n.csv:4: must be prefix,label[,asn][,country]"});
    CHECK(problems("10.0.0.0/8,a\n::/0,x\n::ffff:10.0.0.0/104,b\n::/0,y\n") ==
          Lines{"n.csv:3: this prefix is in line 1 already", "n.csv:4: this prefix is in line 2 already"});
    CHECK(problems("10.0.0.0/8,\xff\n") == Lines{"n.csv:1: the label must be UTF-8 of at most 255 octets"});
    CHECK(problems("10.0.0.0/8,\"a\n") == Lines{"n.csv:1: a quote that is not closed"});
    std::string many;
    for (int i = 0; i < 25; ++i) many += "nonsense,a\n";
    CHECK(problems(many).size() == 21);
    CHECK(problems(many).back() == "n.csv: 5 more lines are wrong");
}

TEST_CASE("PrefixTable: an empty file is an empty table") {
    CHECK(parse("")->size() == 0);
    CHECK(label(*parse("prefix,label\n"), "1.2.3.4") == "-");
}
