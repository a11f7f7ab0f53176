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
    resources:
        **pipeline.resources("other"),
    params:
        version=pipeline.dataset_version,
    shell:
        "logged {log} ecot data {wildcards.dataset}"


# The classifier of a data set is shared by all runs. Its stamp, which is small and compared by content, stands for it.
rule classifier:
    input:
        stamp="results/datasets/{dataset}.json",
        data=ancient("results/datasets/{dataset}.npz"),
    output:
        model="results/classifiers/{dataset}/{fingerprint}/classifier.safetensors",
        stamp="results/classifiers/{dataset}/{fingerprint}/classifier.json",
    log:
        "logs/classifiers/{dataset}/{fingerprint}.log",
    benchmark:
        "logs/classifiers/{dataset}/{fingerprint}.tsv"
    wildcard_constraints:
        dataset=r"\w+",
        fingerprint=FINGERPRINT,
    conda:
        "../../envs/torch.yaml"
    resources:
        **pipeline.resources("evaluate", gpu=True),
    params:
        fingerprint=pipeline.require_classifier,
    shell:
        "logged {log} ecot classifier {wildcards.dataset}"
