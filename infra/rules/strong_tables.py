"""What cfn-lint does not know of strongly consistent global tables.

Facts: Amazon DynamoDB Developer Guide, "How DynamoDB global tables work" (multi-Region strong consistency): exactly three
regions of one set, as three replicas or as two and a witness; no TTL, no local secondary index.
"""

from cfnlint.rules import CloudFormationLintRule, RuleMatch

REGION_SETS = [
    {"us-east-1", "us-east-2", "us-west-2"},
    {"eu-west-1", "eu-west-2", "eu-west-3", "eu-central-1"},
    {"ap-northeast-1", "ap-northeast-2", "ap-northeast-3"},
]


def strong_tables(cfn):
    """Path and properties of every strongly consistent table."""
    for name, resource in cfn.get_resources(["AWS::DynamoDB::GlobalTable"]).items():
        properties = resource.get("Properties", {})
        if properties.get("MultiRegionConsistency") == "STRONG":
            yield ["Resources", name, "Properties"], properties


def regions(cfn, value):
    """Every region that a value may stand for."""
    if isinstance(value, str):
        return {value}
    name = value.get("Ref") if isinstance(value, dict) else None
    if name == "AWS::Region":
        return set(cfn.regions)
    parameter = cfn.template.get("Parameters", {}).get(name, {})
    return set(parameter.get("AllowedValues") or [parameter.get("Default", f"an unknown region ({value})")])


def places(properties, key):
    return [entry.get("Region") for entry in properties.get(key, [])]


class NothingThatStrongTablesLack(CloudFormationLintRule):
    id = "E9101"
    shortdesc = "TTL or a local index on a strongly consistent table"
    description = "Strongly consistent global tables have neither TTL nor local secondary indexes"
    tags = ["dynamodb"]

    def match(self, cfn):
        for path, properties in strong_tables(cfn):
            for key in ("TimeToLiveSpecification", "LocalSecondaryIndexes"):
                if key in properties:
                    yield RuleMatch([*path, key], f"A strongly consistent table cannot have {key}")


class OneRegionSet(CloudFormationLintRule):
    id = "E9102"
    shortdesc = "Regions of a strongly consistent table that cannot be mixed"
    description = "Replicas and witness of a strongly consistent table are in one set of regions"
    tags = ["dynamodb"]

    def match(self, cfn):
        for path, properties in strong_tables(cfn):
            used = places(properties, "Replicas") + places(properties, "GlobalTableWitnesses")
            # The stack is made in one of the set; which one, the linter is told by --regions.
            named = [value for value in used if value != {"Ref": "AWS::Region"}]
            possible = set().union(*(regions(cfn, value) for value in named)) if named else set()
            if not any(possible <= group for group in REGION_SETS):
                listed = ", ".join(sorted(possible))
                yield RuleMatch(path, f"Not all of one set of regions: {listed}")


class ThreeRegions(CloudFormationLintRule):
    id = "E9103"
    shortdesc = "A strongly consistent table without exactly three regions"
    description = "A strongly consistent table has three replicas, or two and a witness"
    tags = ["dynamodb"]

    def match(self, cfn):
        for path, properties in strong_tables(cfn):
            replicas = len(places(properties, "Replicas"))
            witnesses = len(places(properties, "GlobalTableWitnesses"))
            if (replicas, witnesses) not in [(3, 0), (2, 1)]:
                found = f"{replicas} replicas and {witnesses} witnesses"
                yield RuleMatch(path, f"Three replicas, or two and a witness, not {found}")
