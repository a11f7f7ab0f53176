rule metrics:
    input:
        pipeline.metrics(pipeline.cells),
    output:
        report(
            f"{pipeline.results}/metrics.csv",
            caption="../report/metrics.rst",
            category="Tables",
            labels={"table": "all cells", "run": pipeline.config.run},
        ),
    log:
        f"{pipeline.logs}/metrics.log",
    benchmark:
        f"{pipeline.logs}/metrics.tsv"
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    params:
        settings=pipeline.everything(),
        code=code_hash("ecot.reporting.metrics"),
    shell:
        "python -m ecot collect --config $ECOT_CONFIG > {log} 2>&1"


rule table:
    input:
        pipeline.table_metrics,
    output:
        csv=report(
            f"{pipeline.results}/tables/table_{{number}}.csv",
            caption="../report/table.rst",
            category="Tables",
            labels={"table": "{number}", "run": pipeline.config.run},
        ),
        md=f"{pipeline.results}/tables/table_{{number}}.md",
        tex=f"{pipeline.results}/tables/table_{{number}}.tex",
    log:
        f"{pipeline.logs}/tables/table_{{number}}.log",
    benchmark:
        f"{pipeline.logs}/tables/table_{{number}}.tsv"
    wildcard_constraints:
        number="|".join(f"{number:02d}" for number in pipeline.tables) or "none",
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    params:
        settings=pipeline.everything(),
        code=code_hash("ecot.reporting.tables"),
    shell:
        "python -m ecot table {wildcards.number} --config $ECOT_CONFIG > {log} 2>&1"


# Common against independent randomness, end to end against baseline, ...: differences of models of equal seed.
rule paired:
    input:
        pipeline.metrics(pipeline.rated),
    output:
        csv=report(
            f"{pipeline.results}/tables/paired.csv",
            caption="../report/paired.rst",
            category="Tables",
            labels={"table": "paired comparisons", "run": pipeline.config.run},
        ),
        md=f"{pipeline.results}/tables/paired.md",
    log:
        f"{pipeline.logs}/tables/paired.log",
    benchmark:
        f"{pipeline.logs}/tables/paired.tsv"
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    params:
        settings=pipeline.everything(),
        code=code_hash("ecot.reporting.paired"),
    shell:
        "python -m ecot paired --config $ECOT_CONFIG > {log} 2>&1"


rule settings_tables:
    output:
        expand(
            f"{pipeline.results}/tables/table_{{number}}.{{suffix}}",
            number=["03", "04"],
            suffix=["csv", "md", "tex"],
        ),
    log:
        f"{pipeline.logs}/tables/settings.log",
    benchmark:
        f"{pipeline.logs}/tables/settings.tsv"
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    params:
        settings=pipeline.everything(),
        code=code_hash("ecot.reporting.settings"),
    shell:
        "python -m ecot settings --config $ECOT_CONFIG > {log} 2>&1"


rule architecture_tables:
    output:
        expand(
            f"{pipeline.results}/tables/table_{{number}}.{{suffix}}",
            number=pipeline.architectures,
            suffix=["csv", "md", "tex"],
        ),
    log:
        f"{pipeline.logs}/tables/architectures.log",
    benchmark:
        f"{pipeline.logs}/tables/architectures.tsv"
    localrule: True
    conda:
        "../../envs/torch.yaml"
    params:
        settings=pipeline.everything(),
        code=code_hash(
            "ecot.reporting.settings",
            "ecot.tasks.architecture",
            *pipeline.task_modules,
        ),
    shell:
        "python -m ecot architectures --config $ECOT_CONFIG > {log} 2>&1"


rule tables:
    input:
        [
            f"{pipeline.results}/tables/table_{number:02d}.csv"
            for number in pipeline.tables
        ],
        rules.settings_tables.output,
        rules.architecture_tables.output,


# A cell that failed takes no table with it: what there is is written, and names what is missing.
onerror:
    shell("python -m ecot incomplete --config $ECOT_CONFIG || true")
