rule dataset:
    output:
        array="results/datasets/{dataset}.npz",
        stamp="results/datasets/{dataset}.json",
    log:
        "logs/datasets/{dataset}.log",
    benchmark:
        "logs/datasets/{dataset}.tsv"
    wildcard_constraints:
        dataset=r"\w+",
    conda:
        "../../envs/torch.yaml"
    threads: pipeline.threads("other")
    resources:
        **pipeline.resources("other"),
    params:
        code=code_hash("ecot.data.datasets"),
    shell:
        "python -m ecot data {wildcards.dataset} --config $ECOT_CONFIG --out {output.array} > {log} 2>&1"


# The resolved configuration, for the reader of the results.
rule config:
    output:
        f"{pipeline.results}/config.yaml",
    log:
        f"{pipeline.logs}/config.log",
    benchmark:
        f"{pipeline.logs}/config.tsv"
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    params:
        resolved=pipeline.resolved,
    shell:
        "cp $ECOT_CONFIG {output} 2> {log}"
