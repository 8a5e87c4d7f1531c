// SPDX-License-Identifier: Apache-2.0
#include "config/yaml_reader.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <string>

using namespace nfstreamd::config;

namespace {

struct Read {
    Problems problems;
    Node root;

    explicit Read(const std::string& text)
        : root(read_yaml(text, std::make_shared<Source>(Source{"a.yaml", "", 0, true}), problems)) {}

    std::string first() const {
        const auto all = problems.sorted();
        return all.empty() ? "" : all[0].place.text() + ": " + all[0].message;
    }
};

std::string repeated(std::size_t count, const std::string& text) {
    std::string out;
    out.reserve(count * text.size());
    for (std::size_t i = 0; i < count; ++i) out += text;
    return out;
}

}  // namespace

TEST_CASE("read_yaml: values and their places") {
    const Read read("a: 1\nb:\n  - x\n  - {c: 'y: z'}\nd:\n");
    REQUIRE(read.problems.empty());
    REQUIRE(read.root.is_map());
    CHECK(read.root.find("a")->scalar == "1");
    CHECK(read.root.find("a")->place.text() == "a.yaml:1:4");
    const Node& list = *read.root.find("b");
    REQUIRE(list.items.size() == 2);
    CHECK(list.items[0].place.text() == "a.yaml:3:5");
    CHECK(list.items[1].find("c")->scalar == "y: z");
    CHECK(list.items[1].find("c")->place.text() == "a.yaml:4:9");
    CHECK(read.root.find("d")->kind == Node::Kind::kNull);
    CHECK(read.root.find("d")->place.text() == "a.yaml:5:1");
    CHECK(read.root.find("e") == nullptr);
}

TEST_CASE("read_yaml: an empty text is nothing, a byte order mark is skipped") {
    CHECK(Read("").root.kind == Node::Kind::kNull);
    CHECK(Read("# only a comment\n").root.kind == Node::Kind::kNull);
    const Read marked(
        "\xef\xbb\xbf"
        "a: 1\n");
    REQUIRE(marked.root.is_map());
    CHECK(marked.root.find("a")->scalar == "1");
}

TEST_CASE("read_yaml: a syntax error has its line and column") {
    CHECK(Read("a: [1, 2\n").first().find("a.yaml:2:1: not valid YAML: ") == 0);
    CHECK(Read("a: b: c\n").first().find("a.yaml:1:5: not valid YAML: ") == 0);
    CHECK(Read("a: 1\n\tb: 2\n").first().find("a.yaml:2:1: not valid YAML: ") == 0);
    CHECK(Read("a: \"open\n").first().find("not valid YAML: ") != std::string::npos);
    CHECK(Read("a: 'open\nb: 1\n").first().find("not valid YAML: ") != std::string::npos);
    CHECK(Read("a: [\n").root.kind == Node::Kind::kBroken);
    CHECK(Read("[a").first().find("not valid YAML: ") != std::string::npos);
}

TEST_CASE("read_yaml: the end of the text needs no line break and changes no value") {
    CHECK(Read("a: b").root.find("a")->scalar == "b");
    CHECK(Read("a: |\n  b\n  c\n").root.find("a")->scalar == "b\nc\n");
    CHECK(Read("a: |-\n  b\n").root.find("a")->scalar == "b");
    CHECK(Read("a: \"b\"").root.find("a")->scalar == "b");
    CHECK(Read("a: b\n...\n").root.find("a")->scalar == "b");
}

TEST_CASE("read_yaml: a key given twice is found in every depth") {
    const Read read("a:\n  - {x: 1, y: 2}\n  - x: 1\n    y: 2\n    x: 3\nb: 1\na: 5\n");
    const auto all = read.problems.sorted();
    REQUIRE(all.size() == 2);
    CHECK(all[0].place.text() == "a.yaml:5:5");
    CHECK(all[0].key == "a[1].x");
    CHECK(all[0].message == "given twice, first in line 3");
    CHECK(all[1].place.text() == "a.yaml:7:1");
    CHECK(all[1].key == "a");
    CHECK(read.root.find("b")->scalar == "1");
}

TEST_CASE("read_yaml: what is not YAML for a configuration is refused") {
    CHECK(Read("a: &x 1\n").first() == "a.yaml:1:4: anchors (&name) are not supported");
    CHECK(Read("a: *x\n").first().find("a.yaml:1:4: ") == 0);
    CHECK(Read("a: 1\n---\nb: 2\n").first() == "a.yaml:2:1: a second YAML document; one file holds one");
    CHECK(Read("[a, b]: 1\n").first() == "a.yaml:1:1: a key must be a word, not a list");
    CHECK(Read("a: !secret x\n").first() == "a.yaml:1:4: unknown tag !secret; the only one is !file");
    CHECK(Read("a: !file [x]\n").first() == "a.yaml:1:4: !file goes before the path of a file");
    CHECK(Read("a: !!str 5\n").problems.empty());
}

TEST_CASE("read_yaml: octets that yaml-cpp would swallow are refused") {
    CHECK(Read("a: b\nc: \xff\n").first() == "a.yaml:2:4: octet 0xff is not UTF-8");
    CHECK(Read(std::string("a: b\n\0c: d\n", 11)).first().find("a.yaml:2:1: control character 0x00") == 0);
    CHECK(Read("a: b\n\x04: d\n").first().find("a.yaml:2:1: control character 0x04") == 0);
    CHECK(Read("a: gr\xc3\xbcn\n").root.find("a")->scalar == "gr\xc3\xbcn");
}

TEST_CASE("read_yaml: hostile texts end soon and in an error") {
    const std::size_t many = 100'000;
    CHECK_FALSE(Read(repeated(many, "[")).problems.empty());
    CHECK_FALSE(Read(repeated(many, "{a: ")).problems.empty());
    CHECK_FALSE(Read(repeated(many, "- ")).problems.empty());
    CHECK_FALSE(Read(repeated(many, "? ")).problems.empty());
    CHECK_FALSE(Read(repeated(many, "a: &b ")).problems.empty());
    CHECK(Read("[" + repeated(many, "a,") + "]").first().find("more than 20000 values") != std::string::npos);
    std::string keys;
    for (int i = 0; i < 2000; ++i) keys += "k" + std::to_string(i) + ": 1\n";
    CHECK(Read(keys).first() == "a.yaml:1001:1: more than 1000 keys in one map");
    CHECK(Read(std::string(kMaxYamlOctets + 1, ' ')).first() == "a.yaml: larger than 4 MiB");
    // Each level doubles the one before; with aliases it would be 2^30 values.
    std::string bomb = "a0: &a0 [x, x]\n";
    for (int i = 1; i < 30; ++i) {
        const auto name = "a" + std::to_string(i), former = "a" + std::to_string(i - 1);
        bomb += name + ": &" + name + " [*" + former + ", *" + former + "]\n";
    }
    CHECK(Read(bomb).first() == "a.yaml:1:5: anchors (&name) are not supported");
}

TEST_CASE("read_yaml_value: an empty text is a string, a dash is no list") {
    Problems problems;
    const auto source = std::make_shared<Source>(Source{"--set a", "", 0, false});
    CHECK(read_yaml_value("", source, problems).is_scalar());
    CHECK(read_yaml_value("-", source, problems).scalar == "-");
    CHECK(read_yaml_value("[a, b]", source, problems).items.size() == 2);
    CHECK(problems.empty());
    CHECK(read_yaml_value("[a", source, problems).kind == Node::Kind::kBroken);
    REQUIRE_FALSE(problems.empty());
    CHECK(problems.sorted()[0].place.text() == "--set a");
}
