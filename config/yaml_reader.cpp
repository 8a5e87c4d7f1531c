// SPDX-License-Identifier: Apache-2.0
#include "config/yaml_reader.hpp"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <exception>
#include <optional>
#include <sstream>
#include <utility>

#include "core/base/utf8.hpp"

namespace nfstreamd::config {
namespace {

// Far above any real configuration; what follows is quadratic in some of them.
constexpr std::size_t kMaxNodes = 20'000;
constexpr std::size_t kMaxKeys = 1'000;  // of one map
constexpr std::size_t kMaxDepth = 32;

// Ends the parsing of one text.
struct Refused {
    Place place;
    std::string message;
};

// Builds the tree from yaml-cpp's events rather than from its own nodes: those
// drop duplicate keys and expand aliases.
class TreeBuilder final : public YAML::EventHandler {
public:
    TreeBuilder(std::shared_ptr<const Source> source, Problems& problems)
        : source_(std::move(source)), problems_(problems) {}

    void OnDocumentStart(const YAML::Mark& mark) override {
        if (documents_++ > 0) throw Refused{at(mark), "a second YAML document; one file holds one"};
    }
    void OnDocumentEnd() override {}

    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        refuse_anchor(mark, anchor);
        Node node;
        node.place = at(mark);
        add(std::move(node));
    }

    void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
        throw Refused{at(mark), "aliases (*name) are not supported"};
    }

    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& value) override {
        refuse_anchor(mark, anchor);
        Node node = scalar_node(value, at(mark));
        node.quoted = tag == "!";
        if (tag == "!file") {
            node.is_file = true;
        } else {
            check_tag(node, tag);
        }
        add(std::move(node));
    }

    void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value) override {
        refuse_anchor(mark, anchor);
        begin(list_node(at(mark)), tag);
    }
    void OnSequenceEnd() override { end(); }

    void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value) override {
        refuse_anchor(mark, anchor);
        begin(map_node(at(mark)), tag);
    }
    void OnMapEnd() override { end(); }

    Place at(const YAML::Mark& mark) const {
        if (mark.is_null()) return Place{source_};
        return Place{source_, static_cast<unsigned>(mark.line) + 1, static_cast<unsigned>(mark.column) + 1};
    }

    const std::optional<Refused>& refused_key() const { return refused_key_; }
    Node take() { return std::move(root_); }

private:
    struct Open {
        Node node;
        bool is_key = false;        // of the map around it, which is refused
        std::optional<Member> key;  // of a map, waiting for its value
    };

    void refuse_anchor(const YAML::Mark& mark, YAML::anchor_t anchor) const {
        if (anchor != 0) throw Refused{at(mark), "anchors (&name) are not supported"};
    }

    void check_tag(Node& node, const std::string& tag) {
        constexpr std::string_view kStandard = "tag:yaml.org,2002:";
        if (tag.empty() || tag == "?" || tag == "!" || tag.compare(0, kStandard.size(), kStandard) == 0) return;
        const bool misplaced = tag == "!file";
        problems_.add(node.place, "",
                      misplaced ? "!file goes before the path of a file"
                                : fmt::format("unknown tag {}; the only one is !file", tag));
        if (node.is_scalar()) node.kind = Node::Kind::kBroken;
    }

    bool expects_key() const { return !open_.empty() && open_.back().node.is_map() && !open_.back().key; }

    // Kept for the end: an unclosed bracket looks like a key until the parser finds that out.
    void refuse_key(const Node& node) {
        if (refused_key_) return;
        const bool is_word = node.is_scalar() && !node.is_file;
        refused_key_ = Refused{node.place, is_word ? fmt::format("a key of more than {} octets", kMaxKeyOctets)
                                                   : fmt::format("a key must be a word, not {}",
                                                                 node.is_file ? "!file" : node.kind_text())};
    }

    void begin(Node node, const std::string& tag) {
        const bool is_key = expects_key();
        if (is_key) refuse_key(node);
        if (open_.size() >= kMaxDepth) throw Refused{node.place, "nested too deeply"};
        count(node.place);
        check_tag(node, tag);
        open_.push_back(Open{std::move(node), is_key, std::nullopt});
    }

    void end() {
        Node node = std::move(open_.back().node);
        const bool is_key = open_.back().is_key;
        open_.pop_back();
        if (is_key) {
            open_.back().key = Member{"", node.place, {}};
        } else {
            place_in_parent(std::move(node));
        }
    }

    void add(Node node) {
        count(node.place);
        if (!expects_key()) return place_in_parent(std::move(node));
        if (!node.is_scalar() || node.is_file || node.scalar.size() > kMaxKeyOctets) refuse_key(node);
        Member member{node.scalar, node.place, {}};
        open_.back().key = std::move(member);
    }

    void place_in_parent(Node node) {
        if (open_.empty()) {
            root_ = std::move(node);
            return;
        }
        Open& parent = open_.back();
        if (parent.node.is_list()) {
            parent.node.items.push_back(std::move(node));
            return;
        }
        Member member = std::move(*parent.key);
        parent.key.reset();
        // The parser puts "nothing" where the next token begins.
        if (node.kind == Node::Kind::kNull) node.place = member.place;
        member.value = std::move(node);
        for (const Member& former : parent.node.members) {
            if (former.key != member.key) continue;
            problems_.add(member.place, path_of(member.key),
                          fmt::format("given twice, first in line {}", former.place.line));
            return;
        }
        if (parent.node.members.size() >= kMaxKeys) {
            throw Refused{member.place, fmt::format("more than {} keys in one map", kMaxKeys)};
        }
        parent.node.members.push_back(std::move(member));
    }

    // "exporters[0].name" of a key in the innermost open map.
    std::string path_of(const std::string& key) const {
        std::string path;
        for (const Open& open : open_) {
            if (open.node.is_list()) {
                path += fmt::format("[{}]", open.node.items.size());
            } else if (&open == &open_.back() || open.key) {
                if (!path.empty()) path += '.';
                path += &open == &open_.back() ? key : open.key->key;
            }
        }
        return path;
    }

    void count(const Place& place) {
        if (++nodes_ > kMaxNodes) throw Refused{place, fmt::format("more than {} values", kMaxNodes)};
    }

    std::shared_ptr<const Source> source_;
    Problems& problems_;
    std::vector<Open> open_;
    Node root_;
    std::optional<Refused> refused_key_;
    std::size_t nodes_ = 0;
    unsigned documents_ = 0;
};

// yaml-cpp ends the text at some control characters without a word and replaces
// malformed UTF-8: both are refused before it sees them.
std::optional<Refused> refused_octet(std::string_view text, const std::shared_ptr<const Source>& source) {
    Place place{source, 1, 1};
    while (!text.empty()) {
        const std::size_t length = utf8_sequence_length(text);
        if (length == 0)
            return Refused{place, fmt::format("octet 0x{:02x} is not UTF-8", static_cast<unsigned char>(text[0]))};
        const auto c = static_cast<unsigned char>(text[0]);
        if ((c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7f) {
            return Refused{place, fmt::format("control character 0x{:02x}; in double quotes write \\x{:02x}", c, c)};
        }
        ++place.column;
        if (c == '\n') {
            ++place.line;
            place.column = 1;
        }
        text.remove_prefix(length);
    }
    return std::nullopt;
}

// yaml-cpp takes a line break at the end of the text for the closing quote of a
// string that has none. A comment there is harmless to everything else.
std::string closed(std::string_view text) {
    std::string out(text);
    if (!out.empty() && out.back() != '\n') out += '\n';
    return out + "#";
}

Node broken(Problems& problems, const Place& place, const std::string& message) {
    problems.add(place, "", message);
    problems.set_incomplete();
    Node node;
    node.kind = Node::Kind::kBroken;
    node.place = place;
    return node;
}

}  // namespace

Node read_yaml(std::string_view text, const std::shared_ptr<const Source>& source, Problems& problems) {
    if (text.size() > kMaxYamlOctets) return broken(problems, Place{source}, "larger than 4 MiB");
    if (const auto refused = refused_octet(text, source)) return broken(problems, refused->place, refused->message);
    TreeBuilder builder(source, problems);
    try {
        std::istringstream stream{closed(text)};
        YAML::Parser parser(stream);
        while (parser.HandleNextDocument(builder)) {
        }
        if (const auto& refused = builder.refused_key()) return broken(problems, refused->place, refused->message);
        return builder.take();
    } catch (const Refused& refused) {
        return broken(problems, refused.place, refused.message);
    } catch (const YAML::Exception& error) {
        return broken(problems, builder.at(error.mark), "not valid YAML: " + error.msg);
    } catch (const std::exception& error) {
        return broken(problems, Place{source}, fmt::format("cannot be read as YAML: {}", error.what()));
    }
}

Node read_yaml_value(std::string_view text, const std::shared_ptr<const Source>& source, Problems& problems) {
    if (text.empty() || text == "-") return scalar_node(std::string(text), Place{source, 1, 1});
    Node value = read_yaml(text, source, problems);
    if (value.kind == Node::Kind::kNull) value.place = Place{source, 1, 1};  // "#", "~"
    return value;
}

}  // namespace nfstreamd::config
