// SPDX-License-Identifier: Apache-2.0
#include "core/model/flow_model.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <random>
#include <string>

#include "core/record/template.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/unit/core/metering/metered.hpp"
#include "tests/unit/core/model/model_files.hpp"

using namespace nfstreamd;
using namespace nfstreamd::test;

namespace {

constexpr const char *kA = "10.0.0.1", *kB = "10.0.0.2";
const double kLikely = 1 / (1 + std::exp(-2.0));  // what a leaf of 2 or -2 gives

class Models {
public:
    std::string write(const std::string& name, const SmallModel& model) {
        return write_model(folder_.path(name), model.json());
    }
    std::shared_ptr<FlowModel> load(ModelOptions options, const FieldSelection& before = {}) {
        auto model = FlowModel::load(std::move(options), before);
        REQUIRE_MESSAGE(model, (model ? std::string() : model.error().text()));
        return model.value();
    }
    std::string error_of(ModelOptions options, const FieldSelection& before = {}) {
        const auto model = FlowModel::load(std::move(options), before);
        return model ? std::string() : model.error().message;
    }

private:
    TemporaryFolder folder_;
};

MeteringOptions options_with(std::shared_ptr<FlowExtension> extension) {
    MeteringOptions options = plain_options();
    options.extensions.push_back(std::move(extension));
    return options;
}

FieldValue value_of(const FlowModel& model, const std::string& column, const FlowRecord& record) {
    for (const InformationElement* field : model.fields())
        if (field->column == column) return field->value(record);
    FAIL("no such field");
    return {};
}

void add_flow(FileRun& file, std::uint16_t port, int packets, TimestampNs time) {
    for (int i = 0; i < packets; ++i) file.add(udp_frame(kA, kB, port), time + i * kMs);
}

}  // namespace

TEST_CASE("FlowModel: every flow that ends has its class and probability, in whatever batch") {
    Models models;
    const auto model = models.load({.name = "kind", .path = models.write("m.json", {}), .classes = {"short", "long"}});
    REQUIRE(model->fields().size() == 2);
    CHECK(model->fields()[0]->column == "kind_class");
    CHECK(model->fields()[1]->column == "kind_probability");
    FileRun file(options_with(model));
    for (std::uint16_t port = 1; port <= 150; ++port) add_flow(file, port, port % 5 + 1, kStart + port * 10 * kMs);
    const auto& records = file.run();
    REQUIRE(records.size() == 150);
    for (const FlowRecord* record : records) {
        CHECK(std::get<std::string_view>(value_of(*model, "kind_class", *record)) ==
              (record->packets() < 3 ? "short" : "long"));
        CHECK(std::get<double>(value_of(*model, "kind_probability", *record)) ==
              doctest::Approx(kLikely).epsilon(1e-6));
    }
    const auto status = model->status();
    REQUIRE(status.scores);
    CHECK(status.scores->scored == 150);
    CHECK(status.scores->early == 0);
    CHECK(status.scores->unscored == 0);
    CHECK(status.errors == 0);
}

TEST_CASE("FlowModel: a flow that is scored early keeps that, and one that ends before is scored then") {
    Models models;
    const auto early =
        models.load({.name = "early", .path = models.write("m.json", number_model()), .after_packets = 2});
    REQUIRE(early->fields().size() == 1);
    MeteringOptions options = options_with(early);
    options.max_flows = 100;  // so that places of flows are used again at once
    options.idle_timeout = std::chrono::milliseconds(50);
    FileRun file(options);
    // beside each other, and of a length that goes by the port
    std::mt19937 random(3);
    std::vector<std::uint16_t> order;
    for (std::uint16_t port = 1; port <= 900; ++port) order.insert(order.end(), port % 4 + 1, port);
    for (std::size_t i = 0; i < order.size(); ++i)
        std::swap(order[i], order[std::min(order.size() - 1, i + random() % 60)]);
    for (std::size_t i = 0; i < order.size(); ++i) file.add(udp_frame(kA, kB, order[i]), kStart + TimestampNs(i) * kMs);
    const auto& records = file.run();
    REQUIRE(records.size() >= 900);
    std::uint64_t reached = 0, longer = 0;
    for (const FlowRecord* record : records) {
        // 3 packets are more than the model has seen of any flow
        CHECK(std::get<double>(value_of(*early, "early_value", *record)) == -2);
        reached += record->packets() >= 2;
        longer += record->packets() >= 3;
    }
    const auto status = early->status();
    CHECK(status.scores->scored == records.size());
    CHECK(status.scores->early == reached);
    CHECK(reached < records.size());
    CHECK(longer > 0);
}

TEST_CASE("FlowModel: what is scored early is the flow's own, whoever gets its place") {
    Models models;
    SmallModel by_port = number_model();
    by_port.tests = "[1,0,0]";
    by_port.conditions = "[500.0,-2.0,2.0]";
    const auto early = models.load({.name = "own", .path = models.write("m.json", by_port), .after_packets = 1});
    MeteringOptions options = options_with(early);
    options.max_flows = 40;
    FileRun file(options);
    std::mt19937 random(5);
    for (int i = 0; i < 5000; ++i)
        file.add(udp_frame(kA, kB, static_cast<std::uint16_t>(1 + random() % 1000)), kStart + i * kMs);
    const auto& records = file.run();
    CHECK(records.size() > 2000);
    for (const FlowRecord* record : records)
        REQUIRE(std::get<double>(value_of(*early, "own_value", *record)) == (record->source_port < 500 ? -2 : 2));
    CHECK(early->status().scores->early == records.size());
}

TEST_CASE("FlowModel: a shadow is compared, and its results go nowhere") {
    Models models;
    SmallModel other;
    other.conditions = "[2.0,-2.0,2.0]";  // another opinion of flows of two packets
    const auto model =
        models.load({.name = "m", .path = models.write("m.json", {}), .shadow = models.write("s.json", other)});
    FileRun file(options_with(model));
    for (std::uint16_t port = 1; port <= 100; ++port) add_flow(file, port, port % 4 + 1, kStart + port * 10 * kMs);
    for (const FlowRecord* record : file.run())
        CHECK(std::get<std::string_view>(value_of(*model, "m_class", *record)) == (record->packets() < 3 ? "0" : "1"));
    const auto status = model->status();
    REQUIRE(status.scores->shadow);
    CHECK(status.scores->shadow->compared == 100);
    CHECK(status.scores->shadow->agreed == 75);
    CHECK(status.scores->shadow->mean_difference == doctest::Approx((2 * kLikely - 1) / 4));
}

TEST_CASE("FlowModel: one that takes longer than it may is disabled, and no flow is lost") {
    Models models;
    const auto path = models.write("m.json", {});
    // no library scores a flow in no time; its shadow may take what it wants, and goes with it
    const auto model =
        models.load({.name = "slow", .path = path, .shadow = path, .time_budget = std::chrono::microseconds(0)});
    std::size_t count = 0;
    {
        FileRun file(options_with(model));
        for (std::uint16_t port = 1; port <= 4000; ++port) add_flow(file, port, 1, kStart + port);
        const auto& records = file.run();
        count = records.size();
        std::size_t scored = 0;
        for (const FlowRecord* record : records) scored += !record->declared.empty();
        CHECK(scored == model->status().scores->scored);
        CHECK(model->status().disabled == 1);
    }
    const auto status = model->status();
    CHECK(count == 4000);
    CHECK(status.scores->scored == 32 * 64);
    CHECK(status.scores->unscored == 4000 - 32 * 64);
    CHECK(status.slow_calls == 64);
    CHECK(status.reason.find("32 of 32 batches took more than 0 us for each flow") != std::string::npos);
    CHECK(status.disabled == 0);  // of instances that there are
}

TEST_CASE("FlowModel: features are columns of the record, or the operator's") {
    Models models;
    const auto with = [&](const std::string& one, const std::string& other) {
        SmallModel model;
        model.features = fmt::format(R"(["{}","{}"])", one, other);
        return ModelOptions{.name = "m", .path = models.write("f.json", model)};
    };
    CHECK(models.error_of(with("bidirectional_packets", "nonsense")).find("feature \"nonsense\" is no field") == 0);
    CHECK(models.error_of(with("src_ip", "src_port")) == "feature \"src_ip\" is no number: train without it");
    CHECK(models.error_of(with("splt_ps", "src_port")).find("feature \"splt_ps\" is a list: name its elements") == 0);
    CHECK(models.error_of(with("src_ip.0", "src_port")).find("feature \"src_ip.0\" is no field") == 0);

    auto model = models.load(with("bidirectional_mean_ps", "src_port"));
    MeteringOptions options = plain_options();
    auto status = model->check(options);
    REQUIRE_FALSE(status);
    CHECK(status.error().message.find("\"bidirectional_mean_ps\" is not metered: ") != std::string::npos);
    CHECK(status.error().message.find("needs metering.statistical_analysis: true") != std::string::npos);
    options.statistical_analysis = true;
    CHECK(model->check(options));

    model = models.load(with("splt_ps.3", "splt_piat_ms_0"));
    options.splt_analysis = 3;
    status = model->check(options);
    REQUIRE_FALSE(status);
    CHECK(status.error().message.find("it needs metering.splt_analysis: 4 or more") != std::string::npos);
    options.splt_analysis = 4;
    CHECK(model->check(options));

    ModelOptions named = with("", "");
    SmallModel nameless;
    nameless.features = "[]";
    named.path = models.write("n.json", nameless);
    CHECK(models.error_of(named).find("names no features: train it with a DataFrame") == 0);
    named.features = {"src_port"};
    CHECK(models.error_of(named) == "takes 2 features, `features` names 1");
    named.features = {"src_port", "dst_port"};
    model = models.load(named);
    FileRun file(options_with(model));
    add_flow(file, 2, 1, kStart);
    add_flow(file, 3, 1, kStart);
    for (const FlowRecord* record : file.run())
        CHECK(std::get<std::string_view>(value_of(*model, "m_class", *record)) ==
              (record->source_port < 3 ? "0" : "1"));
}

TEST_CASE("FlowModel: classes and elements are the operator's, or refused") {
    Models models;
    const std::string path = models.write("m.json", {});
    CHECK(models.error_of({.name = "m", .path = path, .classes = {"a"}}) == "has 2 classes, `classes` names 1");
    CHECK(models.error_of({.name = "m", .path = path, .classes = {"a", "a"}}) ==
          "two of its classes have the same name");
    CHECK(models.error_of({.name = "m", .path = path, .elements = {{"value", {1, 2}}}}) ==
          "`elements` names a field \"value\" that this model does not have");
    const auto model = models.load({.name = "with_ie", .path = path, .elements = {{"probability", {4711, 12}}}});
    CHECK(model->fields()[1]->ie == IeId{4711, 12});
    CHECK(models.error_of({.name = "a-b", .path = path}).find("field \"a-b_class\": a name has letters") == 0);
    CHECK(models.error_of({.name = "m", .path = path, .shadow = models.write("n.json", number_model())})
              .find("cannot be compared with") == 0);
}

TEST_CASE("FlowModel: the same files and options are the same model") {
    Models models;
    const std::string path = models.write("m.json", {});
    const auto before = models.load({.name = "m", .path = path});
    CHECK(before->same_as(*models.load({.name = "m", .path = path})));
    CHECK_FALSE(before->same_as(*models.load({.name = "m", .path = path, .after_packets = 1})));
    SmallModel changed;
    changed.conditions = "[3.0,-2.0,2.5]";
    models.write("m.json", changed);
    CHECK_FALSE(before->same_as(*models.load({.name = "m", .path = path})));
}
