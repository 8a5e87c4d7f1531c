// SPDX-License-Identifier: Apache-2.0
#include "core/model/model_file.hpp"

#include <doctest/doctest.h>

#include <random>

#include "core/model/predictor.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/unit/core/model/model_files.hpp"

using namespace nfstreamd;
using namespace nfstreamd::test;

namespace {

bool contains(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

std::string refusal(const std::string& octets) {
    const auto model = parse_model(octets, "m.json");
    return model ? std::string() : model.error().message;
}

// What the library says of a file that has passed; it may refuse, but never more than that.
bool is_tried(const std::string& octets) {
    const auto model = parse_model(octets, "m.json");
    if (!model) return false;
    const auto predictor = Predictor::load(model.value());
    if (!predictor) return false;
    const std::vector<float> row(model.value().feature_count, 1);
    return static_cast<bool>(predictor.value()->predict(row.data(), 1));
}

}  // namespace

TEST_CASE("ModelFile: what is in a model is known before the library sees it") {
    auto model = parse_model(SmallModel{}.json(), "m.json");
    REQUIRE_MESSAGE(model, (model ? std::string() : model.error().message));
    CHECK(model.value().kind == ModelFile::Kind::kBinary);
    CHECK(model.value().objective == "binary:logistic");
    CHECK(model.value().features == std::vector<std::string>{"bidirectional_packets", "src_port"});
    CHECK(model.value().outputs == 1);
    CHECK(model.value().class_count() == 2);
    CHECK(model.value().rounds == 0);
    CHECK(model.value().trees == 1);
    model =
        parse_model(SmallModel{.attributes = R"({"classes":"[\"good\",\"bad\"]","best_iteration":"0"})"}.json(), "");
    REQUIRE(model);
    CHECK(model.value().classes == std::vector<std::string>{"good", "bad"});
    CHECK(model.value().rounds == 1);
    model = parse_model(number_model().json(), "");
    REQUIRE(model);
    CHECK(model.value().kind == ModelFile::Kind::kNumber);
    CHECK(model.value().class_count() == 0);
    CHECK(is_tried(SmallModel{}.json()));
}

TEST_CASE("ModelFile: what is no model, or none that is supported, is refused with the reason") {
    for (const std::string garbage : {"", "{", "bidirectional_packets,src_port\n1,2\n", "binf\1\2\3"})
        CHECK(contains(refusal(garbage), "is no model of XGBoost in JSON or UBJSON"));
    CHECK(contains(refusal(R"({"a":1})"), "has no \"learner\"; write it with save_model()"));
    CHECK(
        contains(refusal(R"({"learner":{}})"), "has the objective \"\"; supported are binary:logistic multi:softprob"));
    CHECK(contains(refusal(R"({"learner":)"), "is damaged, or no model, at octet"));
    CHECK(contains(refusal(SmallModel{}.json() + "x"), "is damaged, or no model, at octet"));
    CHECK(contains(refusal(SmallModel{.objective = R"({"name":"rank:pairwise"})"}.json()), "\"rank:pairwise\""));
    CHECK(contains(refusal(SmallModel{.booster = "dart"}.json()), "has the booster \"dart\"; gbtree is"));
    CHECK(contains(refusal(SmallModel{.features = R"(["a"])"}.json()), "names 1 features and has 2"));
    CHECK(
        contains(refusal(SmallModel{.attributes = R"({"classes":"[\"one\"]"})"}.json()), "names for 1 classes and 2"));
    CHECK(contains(refusal(SmallModel{.attributes = R"({"classes":"good,bad"})"}.json()), "is no JSON list of names"));
    CHECK(contains(refusal(SmallModel{.attributes = R"({"best_iteration":"1"})"}.json()), "best_iteration behind"));
    // 2 classes that the objective and the model do not agree about
    CHECK(contains(refusal(SmallModel{.objective = R"({"name":"multi:softprob"})", .classes = "2"}.json()),
                   "says two numbers of classes"));
    CHECK(contains(refusal(SmallModel{.classes = "3"}.json()), "has classes, unlike its objective"));
}

TEST_CASE("ModelFile: trees that lead nowhere, or round, are refused") {
    CHECK(contains(refusal(SmallModel{.left = "[0,-1,-1]"}.json()), "comes to node 0 twice"));
    CHECK(contains(refusal(SmallModel{.left = "[2,-1,-1]"}.json()), "comes to node 2 twice"));
    CHECK(contains(refusal(SmallModel{.left = "[3,-1,-1]"}.json()), "from node 0 to one that is not there"));
    CHECK(contains(refusal(SmallModel{.right = "[-1,-1,-1]"}.json()), "from node 0 to one that is not there"));
    CHECK(contains(refusal(SmallModel{.right = "[4294967298,-1,-1]"}.json()), "from node 0 to one that is not there"));
    CHECK(contains(refusal(SmallModel{.left = "[1,-1]"}.json()), "has no left_children for each node"));
    CHECK(contains(refusal(SmallModel{.left = "[1.0,-1,-1]"}.json()), "something else than numbers in left_children"));
    CHECK(contains(refusal(SmallModel{.parents = "[2147483647,0,3]"}.json()), "has a node 2 without a parent"));
    CHECK(contains(refusal(SmallModel{.tests = "[2,0,0]"}.json()), "tests a feature at node 0 that is not there"));
    CHECK(contains(refusal(SmallModel{.trees = "2"}.json()), "has another number of trees than it says"));
    CHECK(contains(refusal(SmallModel{.info = "[1]"}.json()), "has a tree 0 of a class that is not there"));
}

TEST_CASE("ModelFile: a document is bounded before it is built") {
    const std::string deep(1'000'000, '[');
    CHECK(contains(refusal(R"({"learner":)" + deep), "is more than 32 levels deep"));
    CHECK(contains(refusal(R"({"a":1,"a":2})"), "has the key \"a\" twice"));
    // UBJSON: {"a": [$Z#L 2^40]}, a list of as many nothings, which take no octet
    const std::string key = std::string("{L\0\0\0\0\0\0\0\1a", 11);
    CHECK(contains(refusal(key + std::string("[$Z#L\0\0\1\0\0\0\0\0", 13)), "has a list that is longer than the file"));
    std::string nested = key;
    for (int i = 0; i < 1000; ++i) nested += "[$[#U\1";
    CHECK_FALSE(refusal(nested).empty());
    CHECK(contains(refusal('{' + std::string(kMostModelOctets, 'x')), "is larger than 128 MiB"));
}

TEST_CASE("ModelFile: whatever is broken in a file, it is refused or scores") {
    const std::string sound = SmallModel{.attributes = R"({"classes":"[\"good\",\"bad\"]"})"}.json();
    const std::string some = "0123456789-.eE[]{}\",:anZ$#L\x7f\xff";
    std::mt19937 random(11);
    int tried = 0;
    for (int i = 0; i < 4000; ++i) {
        std::string octets = sound;
        for (unsigned changes = 1 + random() % 3; changes > 0; --changes) {
            const std::size_t at = random() % octets.size();
            switch (random() % 3) {
                case 0:
                    octets[at] = some[random() % some.size()];
                    break;
                case 1:
                    octets.erase(at, 1 + random() % 8);
                    break;
                default:
                    octets.insert(at, 1, some[random() % some.size()]);
            }
        }
        tried += is_tried(octets);
    }
    CHECK(tried > 10);
}

TEST_CASE("ModelFile: a file that is not there, or no file") {
    TemporaryFolder folder;
    CHECK(read_model_file(folder.path("none.json")).error().message == "there is no such file");
    CHECK(read_model_file(folder.path("")).error().message == "is not a regular file");
    const auto read = read_model_file(write_model(folder.path("m.json"), SmallModel{}.json()));
    REQUIRE(read);
    CHECK(read.value().path == folder.path("m.json"));
    CHECK(read.value().octets == SmallModel{}.json());
}
