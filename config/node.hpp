// SPDX-License-Identifier: Apache-2.0
// What the operator wrote, as a tree in which each node knows its place, and
// the list of what is wrong with it. Private to config/; one thread.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace nfstreamd::config {

// A file, or one --set; `order` is the order in which they were read.
struct Source {
    std::string name;       // "nfstreamd.yaml", "--set metering.idle_timeout"
    std::string directory;  // what `!file` is relative to; "" : the working directory
    unsigned order = 0;
    bool has_lines = true;  // false: its places are just its name
};

struct Place {
    std::shared_ptr<const Source> source;
    unsigned line = 0, column = 0;  // from 1; 0: the source as a whole

    std::string text() const;  // "nfstreamd.yaml:14:5"
};

// Of a key: YAML reads back 1024 characters of one, and printed an octet may take six.
inline constexpr std::size_t kMaxKeyOctets = 160;

struct Member;

struct Node {
    enum class Kind {
        kNull,  // nothing after the colon
        kScalar,
        kList,
        kMap,
        kBroken,  // was wrong, which has been reported
    };
    Kind kind = Kind::kNull;
    Place place;
    std::string scalar;
    bool is_file = false;         // `!file`: the scalar is a path
    bool quoted = false;          // a scalar that is a text whatever it looks like
    std::vector<Node> items;      // kList
    std::vector<Member> members;  // kMap, in the order of the text

    bool is_map() const { return kind == Kind::kMap; }
    bool is_list() const { return kind == Kind::kList; }
    bool is_scalar() const { return kind == Kind::kScalar; }
    std::string_view kind_text() const;  // "a list", for messages

    const Node* find(std::string_view key) const;  // of a map
    Node* find(std::string_view key);
    void erase(std::string_view key);
    Node& put(std::string key, Node value);  // adds or replaces; the key is where the value is
};

struct Member {
    std::string key;
    Place place;  // of the key
    Node value;
};

Node scalar_node(std::string text, Place place);
Node map_node(Place place);
Node list_node(Place place);

struct Problem {
    Place place;
    std::string key;  // "exporters[0].collectors"
    std::string message;
};

class Problems {
public:
    void add(const Place& place, std::string key, std::string message);
    // A file could not be read as a whole: what seems to be missing may be in it.
    void set_incomplete() { incomplete_ = true; }
    // Like add(), for what is missing; not said when the input is incomplete.
    void add_missing(const Place& place, std::string key, std::string message);

    bool empty() const { return problems_.empty(); }
    std::vector<Problem> sorted() const;  // in the order of the text

private:
    std::vector<Problem> problems_;
    bool incomplete_ = false;
};

}  // namespace nfstreamd::config
