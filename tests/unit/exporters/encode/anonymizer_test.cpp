// SPDX-License-Identifier: Apache-2.0
#include "exporters/encode/anonymizer.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <vector>

#include "core/record/schemas.hpp"
#include "exporters/encode/csv_encoder.hpp"
#include "exporters/encode/json_encoder.hpp"
#include "tests/support/fields.hpp"

namespace nfstreamd::exporters {
namespace {

constexpr std::string_view kCounting =
    "000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F"
    "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f";

std::unique_ptr<Anonymizer> anonymizer(std::string_view secret, std::vector<std::string> columns = {}) {
    const auto key = Anonymizer::make_key(secret);
    REQUIRE(key);
    auto made = Anonymizer::make(std::move(columns), key.value());
    REQUIRE(made);
    return std::move(made.value());
}

std::string pseudonym(const FieldValue& value, std::string_view secret = kCounting) {
    Anonymizer::Buffer buffer;
    const FieldValue made = anonymizer(secret)->pseudonym(value, buffer);
    const auto* text = std::get_if<std::string_view>(&made);
    return text ? std::string(*text) : "absent";
}

// hashlib.blake2b(str(value).encode(), key=bytes(range(64)), digest_size=64).hexdigest()
TEST_CASE("Anonymizer: a pseudonym is Python's keyed BLAKE2b of the value's text") {
    const std::string address =
        "2d9e8e3f60931a4d24baa9e94993889f287e441933de6de81f172bb15a283ee11e7e501684a07fa92db80576e1ab0fd1c17a846af6c1f4"
        "6fe88644a0dbfc12a4";
    CHECK(pseudonym(IpAddress{{192, 168, 1, 1}, 4}) == address);
    CHECK(pseudonym(std::string_view("192.168.1.1")) == address);
    CHECK(pseudonym(std::string_view("")) ==
          "10ebb67700b1868efb4417987acf4690ae9d972fb7a590c2f02871799aaa4786b5e996e8f0f4eb981fc214b005f42d2ff4233499391"
          "653df7aefcbc13fc51568");
    CHECK(pseudonym(0.5) ==
          "5cf5a79ff21955250026b8d4d59aa501f6abaf8bae4f43592b3001ae01eca0d789e67898143282b70397753c35563d6c71744859d6b"
          "f7739c9a70ad54f14d549");
    CHECK(pseudonym(1e-5) ==
          "2178adab24457c20374a684cf06619b58523440e5889b27076f765dd80a94597b17960bcceb5b364eb859869d7430a0e77f5ffd4145"
          "9369e892e305fe075e90d");
    CHECK(pseudonym(std::numeric_limits<double>::quiet_NaN()) ==
          "4bd55806969d515ba9f9062a926ba6b9a7dc0dd55a73f3e52ed4dd1f85b491cd6a6a38114303f431ad1ba72fcafee1e5ea6d467e5f0"
          "11222051861e178e39aa6");
    CHECK(pseudonym(true) ==
          "98bac11e1c1d1ca319e98e96c7967706df6d4a5083100990b27b9b4db84a36972efd042651f8e82842014bbb3f0c75a08b28d93bb95"
          "8cc3357da4248931f56af");
    const std::string number =
        "4a1d17c7ed696fe7277ce07669c3c2a7725ccdf06818d5e5c45807ec7fbe267e0e5255b1f13d51741c86bb4f14f7047e61f63b35b168e4"
        "f573065a386e770126";
    CHECK(pseudonym(std::uint64_t{53}) == number);
    CHECK(pseudonym(std::int64_t{53}) == number);
    const std::vector<std::int32_t> list{0, 1, -1};
    CHECK(pseudonym(std::span<const std::int32_t>(list)) ==
          "e1142248a5d9654d4fd09e6977854d417f0b960f3fbab0d0993bbb8c6a31c71fd1df64eaccb9cfef028d6b1ae91ad03f3915a8b3ef0"
          "390e720e1393e70364073");
}

TEST_CASE("Anonymizer: what is absent stays absent") {
    CHECK(pseudonym(std::monostate{}) == "absent");
    CHECK(pseudonym(IpAddress{}) == "absent");
}

// with key=hashlib.blake2b(b"correct horse battery staple", digest_size=64).digest()
TEST_CASE("Anonymizer: of a secret that is no key the digest is the key") {
    CHECK(pseudonym(IpAddress{{10, 0, 0, 1}, 4}, "correct horse battery staple") ==
          "e4aa623f40f7716d6c922e7fcd0c2b698c05c8061133fb23735e87638defb0291c072ba440b63373af80cdb6733df6b27fc69d569a6"
          "76552610321ac9fdabb11");
}

TEST_CASE("Anonymizer: a short secret is an error, none gives a random key of this run") {
    const auto refused = Anonymizer::make_key("123456789012345");
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::kInvalidArgument);
    CHECK(refused.error().message.starts_with("is too short"));
    const auto one = Anonymizer::make_key(""), two = Anonymizer::make_key("");
    REQUIRE(one);
    REQUIRE(two);
    CHECK(one.value() == two.value());
    CHECK(one.value() != Anonymizer::Key{});
}

TEST_CASE("encoders: pseudonyms stand for the values of the columns that were named, by column or element") {
    InformationElement port =
        test::field("src_port", [](const FlowRecord&) -> FieldValue { return std::uint64_t{53}; });
    port.name = "sourceTransportPort";
    const std::vector elements{
        test::field("src_ip", [](const FlowRecord& r) -> FieldValue { return r.source_address; }),
        test::field("dst_ip", [](const FlowRecord& r) -> FieldValue { return r.source_address; }), port,
        test::field("none", [](const FlowRecord&) -> FieldValue { return std::monostate{}; })};
    FlowRecord record;
    record.source_address = {{192, 168, 1, 1}, 4};
    const std::vector<std::string> columns{"src_ip", "sourceTransportPort", "none"};
    const std::string address = pseudonym(record.source_address), number = pseudonym(std::uint64_t{53});

    std::string csv, json;
    CsvEncoder(test::select(elements), anonymizer(kCounting, columns)).encode(record, csv);
    CHECK(csv == address + ",192.168.1.1," + number + ",\n");
    JsonEncoder(test::select(elements), anonymizer(kCounting, columns)).encode(record, json);
    CHECK(json == "{\"src_ip\":\"" + address + "\",\"dst_ip\":\"192.168.1.1\",\"src_port\":\"" + number +
                      "\",\"none\":null}\n");
}

TEST_CASE("Anonymizer: an address is hidden in each of its forms, under whatever name a schema has it") {
    for (const std::string name : {"src_ip", "ip_src", "sourceIPv4Address"}) {
        CAPTURE(name);
        const auto fields = schema_fields(Generation::kNfstream3, {.nfstream3 = true});
        const auto covered = anonymizer(kCounting, {name})->covered(fields);
        for (std::size_t i = 0; i < fields.size(); ++i)
            CHECK(covered[i] == (fields[i]->column == "src_ip" || fields[i]->column == "ip_src"));
    }
    const auto fields = schema_fields(Generation::kNfstream0, {});
    CHECK(anonymizer(kCounting, {"src_ip"})->covered(fields)[0]);  // ip_src
}

}  // namespace
}  // namespace nfstreamd::exporters
