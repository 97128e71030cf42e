"""English, and the abbreviations that every language borrows."""

from webapp.intents.vocabulary.base import Vocabulary

VOCABULARY = Vocabulary(
    settings={
        "rounds": "round|rounds|communication rounds|communication round|global rounds|"
        "global epochs|fl rounds|federated rounds|training rounds|num rounds|number of rounds|"
        "t =|t :|iterations of federated learning",
        "clients": "client|clients|participant|participants|parties|party|devices|phones|nodes|"
        "workers|users|institutions|silos|learners|num clients|number of clients|k =|k :",
        "cohort": "per round|each round|every round|in each round|in every round|in a round|"
        "at a time|of them|of these|of those|of which|of whom|clients per round|cohort|"
        "cohort size|at once|cohort of|per communication round|a round|clients a round",
        "sampling.fraction": "client fraction|fraction of clients|fraction of the clients|"
        "participation rate|sampling rate|sample rate|sampling ratio|client ratio|"
        "participation ratio|fraction of|participation|c =|c :|fraction fit",
        "sampling.count": "clients per round =|sampled clients",
        "local.epochs": "epoch|epochs|local epochs|local epoch|passes|passes over the data|"
        "local passes|num epochs|number of epochs|e =|e :|local training epochs",
        "local.steps": "local steps|steps|local iterations|local updates|sgd steps|"
        "gradient steps|optimizer steps|optimiser steps|minibatches",
        "local.batch_size": "batch size|batch|batches of|batches|batch sizes|bs|minibatch size|"
        "minibatch|mini batch size|mini batch|minibatches of|b =|b :|batches of size",
        "local.lr": "learning rate|learning rates|lr|step size|step sizes|client learning rate|"
        "clients learning rate|local learning rate|client lr|local lr|eta|lrs|stepsize|"
        "client s learning rate|clients learning rates",
        "local.momentum": "momentum|client momentum|local momentum|heavy ball",
        "local.weight_decay": "weight decay|l 2 penalty|l 2 regularization|l 2 regularisation|wd|"
        "weightdecay",
        "algorithm.server_lr": "server learning rate|server lr|global learning rate|"
        "server step size|the server s is|server s learning rate|server learning rates",
        "seed": "seed|random seed|rng seed",
        "seeds": "seeds|random seeds|repetitions|repeats|times with different seeds|replicates|"
        "trials|different seeds|independent runs",
        "repeat": "repeat|repeated|run it|rerun",
        "times": "times",
        "target.accuracy": "accuracy|accurate|test accuracy|acc|percent accuracy|top 1 accuracy",
        "target.loss": "loss|test loss",
        "target.perplexity": "perplexity|ppl",
        "target.mse": "mse|mean squared error",
        "target.mae": "mae|mean absolute error",
        "target.r2": "r 2|r squared",
        "target.micro_f1": "micro f 1|f 1|f 1 score",
        "until": "until|till|reach|reaches|reached|reaching|hits|attains|achieve|achieves|"
        "target of|get to|gets to|goal of",
        "evaluation.every": "evaluation interval|evaluate every|test every|eval every",
        "evaluation.patience": "patience|evaluations without improvement|"
        "tests without improvement|evaluations without progress|rounds without improvement|"
        "evaluations without getting better|without improvement",
        "system.dropout": "drop out|drops out|dropout|dropout rate|client dropout|fail|fails|"
        "disappear|go offline|goes offline|dropping out|crash|crashes|lost|unavailable",
        "system.stragglers": "stragglers|straggler|straggling|straggler rate|are late",
        "system.straggler_factor": "straggler factor|straggler slowdown",
        "field:slowdown": "times slower|x slower|fold slower|times as slow|slowdown",
        "field:slow_fraction": "are slow|is slow|slow clients|slow ones|slower",
        "system.bandwidth_mbps": "bandwidth|links|link speed|connection speed|network speed|"
        "network|connections",
        "system.latency_s": "latency|network latency|delay|ping",
        "runtime.deadline_s": "deadline|round deadline|time limit|timeout|time out|"
        "time limit per round",
        "runtime.min_updates": "min updates|minimum updates|at least updates|minimum number of "
        "updates",
        "dataset.max_train": "training examples|training samples|train examples|examples|"
        "train samples|samples|training images|images|data points|training points",
        "dataset.max_test": "test examples|test samples|test images",
        "share_of_data": "of the data|of the training data|of the dataset|of its data|"
        "of the training set|of the training examples|of the examples",
        "field:classes_per_client": "classes per client|classes each|classes per participant|"
        "classes|class|labels per client|labels each|shards per client|class per client|"
        "shards each|digits each|different labels",
        "field:bits": "bit|bits|bit width|bits per entry|bits per weight|bitwidth",
        "field:ratio": "of the entries|of the weights|of the gradients|of the values|"
        "of the coordinates|sparsity ratio|keep ratio|of the parameters|of the update|"
        "of entries|of each update|compression ratio|of all entries",
        "field:mu": "mu|proximal term|proximal weight|proximal coefficient|prox term",
        "field:alpha": "alpha|concentration|concentration parameter",
        "field:beta": "beta",
        "field:temperature": "temperature|tau =",
        "field:hidden": "hidden layers|hidden layer|hidden units|hidden sizes|layers of|hidden|"
        "hidden layers of|hidden layers with|layer sizes|hidden neurons|hidden layer sizes",
        "field:depth": "depth|layers deep|layers|blocks|deep",
        "field:heads": "attention heads|heads",
        "field:patch_size": "patch size|patches of",
        "field:max_norm": "max norm|norm|to norm|clipping norm|clip norm|norm of|to a norm of|"
        "maximum norm|to length",
        "field:num_classes": "classes in total",
        "field:rank": "rank|lora rank|of rank",
        "field:levels": "levels|quantisation levels|quantization levels",
        "field:byzantine_count": "bad clients|bad updates|byzantine clients|tolerating|"
        "assumed byzantine|byzantine updates",
        "field:byzantine_fraction": "byzantine fraction|trim fraction|trim ratio|trimmed fraction|"
        "from each side|on each side|of outliers|from both ends|at each end",
        "attackers": "attacker|attackers|malicious|adversaries|adversary|bad actors|compromised|"
        "malicious clients|hostile|evil|poisoned clients|are byzantine|are malicious|"
        "of the clients are attackers|cheaters|cheating|byzantine",
        "field:scale": "times longer|times larger|scaled by|attack scale",
        "field:std": "standard deviation|std|noise scale|noise level",
        "field:sigma": "sigma",
        "field:samples_per_s": "samples per second|examples per second",
        "privacy": "epsilon|differential privacy|dp sgd|differentially private|eps|"
        "privacy budget|noise multiplier|secure aggregation|dp|privacy",
        "traffic": "traffic|bytes|communication budget|upload budget|of traffic|in total|"
        "communication|transferred|data volume",
    },
    values={
        "runtime.device=cuda": "gpu|cuda|the gpu|graphics card",
        "runtime.device=cpu": "cpu|the cpu|processor",
        "runtime.executor=pool": "process pool|several processes|in parallel processes",
        "runtime.executor=sequential": "one client after another|sequentially",
        "runtime.executor=stacked": "stacked cohort",
        "runtime.precision=bfloat16": "train in bfloat 16|training in bfloat 16|bf 16 training|"
        "mixed precision",
        "local.optimizer=sgd": "sgd|stochastic gradient descent|plain sgd|vanilla sgd",
        "local.optimizer=adam": "adam|adam optimizer|adam optimiser|local adam|client adam",
        "local.optimizer=adamw": "adamw|adam w|adamw optimizer|adamw optimiser",
        "evaluation.per_client=true": "on each client s own data|per client evaluation|"
        "on every client|personalised accuracy|accuracy of each client|test each client|"
        "per client accuracy|per client accuracies|on each client s data|evaluate each client",
        "partition.mode=power_law": "power law|power law sizes|zipf",
        "partition.transform=rotation": "rotate|rotated|rotation|rotations|rotate the images|"
        "rotated images",
        "partition.transform=contrast": "contrast shift|different contrast|contrast",
        "model.norm=batch": "batch norm|batchnorm|batch normalisation|batch normalization|bn",
        "model.norm=group": "group norm|groupnorm|group normalisation|group normalization|gn",
        "aggregation.weighting=uniform": "uniform weights|equal weights|unweighted|"
        "unweighted mean|weight clients equally|all clients weigh the same|uniform weighting",
        "dtype=bfloat16": "bf 16|bfloat 16",
        "error_feedback=true": "error feedback|with memory|residual memory|error compensation",
        "rounding=stochastic": "stochastic rounding|round stochastically|random rounding",
        "scope=model": "across the whole model|over the whole model|global top k",
        "compress": "compression|compress|compressed|compressing|save bandwidth|save traffic|"
        "keep traffic low|keep the traffic low|low traffic|reduce traffic|reduce communication|"
        "communication efficient|less communication|fewer bytes|keep communication low|"
        "less traffic|as little traffic as possible|shrink the updates|smaller updates|"
        "minimise traffic|minimize traffic|minimise communication|minimize communication|"
        "cut the traffic|communication cheap|smaller messages|low bandwidth usage|"
        "few bytes|compress the updates",
    },
    operators={
        "not": "no|not|without|don t|do not|never|avoid|skip|drop the|remove the|turn off|disable|"
        "rather than|instead of|except|get rid of|rid of|leave out|drop|remove|minus the|replace|"
        "doesn t|does not|isn t|is not|stop using|switch off|none of|forget the|forget about the",
        "correct": "sorry|i mean|i meant|actually|or rather|make that|correction|scratch that|"
        "wait|no wait|rather make it|oops|better|to be precise|let s say|pardon|nope|hmm no|"
        "i should say|strike that|make it|on second thought|my mistake",
        "but": "but|instead|rather",
        "versus": "vs|versus|against|compared to|compared with|as opposed to|"
        "beat|beats|outperform|outperforms|better than",
        "and": "and|plus|as well as|&|along with|together with",
        "or": "or|either|respectively",
        "compare": "compare|comparison|sweep|try|grid|each of|which is better|better|"
        "for each of|one run each|each with|both|benchmark|ablation|contrast",
        "up": "upload|uploads|uplink|updates|upstream|client updates|clients send|upward|"
        "sent by clients",
        "down": "download|downloads|downlink|broadcast|downstream|what the server sends|"
        "broadcasts|server sends|downloaded",
        "both": "both directions|both ways|in both directions|up and down|uplink and downlink|"
        "each way|upload and download|uploads and downloads|both up and down",
        "every": "every|each|after every",
        "double": "double|twice|two times as many|twice as many|doubled|twice as much|"
        "twice the|twice the number of|two times the",
        "triple": "triple|three times as many|thrice|tripled|three times the",
        "halve": "halve|half as many|half the number of|halved|half as much|cut in half",
        "with_without": "with and without|with or without|without and with",
        "train": "train|trains|training|experiment|simulate|simulation|federated|federation|fl|"
        "federated learning|job|fit|learn|learning|trained|aggregate|fine tune|finetune",
        "command": "delete|erase|wipe|rm|sudo|shutdown|shut down|reboot|restart|kill|cancel|pause|"
        "resume|stop|terminate|abort|uninstall|drop table|truncate|chmod|curl|wget|destroy|remove|"
        "exec|execute|import os|select|insert into|update users|grant|promote|revoke|retry|drop",
        "object": "run|runs|the run|every run|all runs|project|projects|user|users|server|servers|"
        "database|databases|file|files|table|tables|account|accounts|job|jobs|worker process|"
        "everything|passwords|password|rf|machine|process|service|script|shell|command|token|"
        "tokens|artifacts|logs|sql|bash|code",
        "show": "show|print|reveal|give|tell|list|display|leak|send|read|output|dump|share|what is",
        "secret": "password|passwords|token|tokens|api key|api keys|secret|secrets|credentials|"
        "system prompt|private key|environment variables|secret key|etc passwd|env|other users",
        "ignore": "ignore|forget|disregard|override|bypass",
        "instructions": "instructions|previous instructions|rules|prompt|guidelines|restrictions|"
        "safety|above|permissions|limits",
    },
    sections={
        "dataset": "dataset|data set|data|datasets|corpus|data sets|images|pictures|photos",
        "partition": "split|partition|partitioning|distribution|distributed|skew|division|"
        "partitioned|shared out|divided",
        "model": "model|network|net|architecture|classifier|models|backbone",
        "algorithm": "algorithm|method|strategy|optimization method|fl algorithm|algorithms",
        "sampling": "sampling|selection|client selection|sampler|participate|selected|"
        "client sampling|take part|takes part|participates|join|picked|pick|sample",
        "aggregation": "aggregation|aggregator|aggregate|rule|defence|defense|defend|"
        "robust aggregation|aggregation rule|aggregated|combine|combined",
        "compression": "codec|quantiser|quantizer|sparsifier|gradients|messages|entries",
        "attack": "attack|attacks|adversarial attack",
        "local.optimizer": "optimizer|optimiser|local optimizer|client optimizer",
        "topology": "topology|graph|topologies",
        "system.speed": "speed|speeds|hardware",
        "peft": "fine tuning|peft|parameter efficient",
    },
    units={
        "percent": "%|percent|per cent|pct|percentage points",
        "bytes:1e3": "kb|kilobytes|kilobyte|kib",
        "bytes:1e6": "mb|megabytes|megabyte|mib",
        "bytes:1e9": "gb|gigabytes|gigabyte|gib",
        "seconds:1": "s|sec|secs|second|seconds",
        "seconds:0.001": "ms|milliseconds|millisecond",
        "seconds:60": "minute|minutes|mins",
        "seconds:3600": "hour|hours",
        "mbps:1": "mbit/s|mbps|mbit|megabits per second|megabit|mbits|megabit per second",
        "mbps:1000": "gbit/s|gbps|gbit|gigabit",
        "mbps:0.001": "kbit/s|kbps|kbit",
    },
    unknown={
        "dataset": "imagenet|image net|celeba|femnist|emnist|svhn|cifar 100|imdb|ag news|coco|"
        "openimages|reddit|stackoverflow|stack overflow|sent 140|sentiment 140|tiny imagenet|"
        "kmnist|usps|stl 10|cinic 10|iris|titanic|squad|wikitext|glue|pascal voc|cityscapes|"
        "movielens|mimic|chestx|librispeech",
        "local.optimizer": "rmsprop|adagrad|adadelta|lion|lbfgs|l bfgs|nadam|lamb|sophia|adamax|"
        "radam|muon|newton s method",
        "model": "alexnet|vgg|vgg 16|vgg 11|mobilenet|efficientnet|densenet|inception|xgboost|"
        "random forest|svm|decision tree|unet|u net|yolo|diffusion model|gan|lenet|squeezenet|"
        "autoencoder|gradient boosting|k means",
        "attack": "backdoor|backdoor attack|gradient inversion|free riders|free rider|"
        "model replacement|model poisoning|sybil",
    },
    common="the a an of to in on for with is are be it and or we i you my our your please would "
    "like could can do does how what when if that this these those them they from at by as only "
    "just let use using run set up want need have has per each will should some any other same "
    "thing about over after before during through their its there here where who why which while "
    "first last next between among many much more most less least new old good great again also "
    "still yet too very really something anything nothing everything someone people world year "
    "time times day today tomorrow write poem leaves autumn weather sentence french this "
    "state start other place store story study style table taken tests thank think three total "
    "touch tower track trade trail tried tries truck trust truth under union until usual value "
    "video visit voice waste watch water while white whole whose women words works worth wrong "
    "young round sound class clear click close cloud coast could count court cover cross dance "
    "death doing doubt drink drive early earth eight empty enemy enjoy enter equal error event "
    "every exact exist extra faith false fault field fight final floor focus force found frame "
    "fresh front fruit fully funny given glass going grand grant green group grown guess guide "
    "happy heavy hence hotel house human ideal image index inner input issue joint judge known "
    "large laser later laugh layer leave legal level light limit local logic loose lower lucky "
    "lunch major maker march match maybe mayor means media metal might minor minus mixed model "
    "money month moral motor mount mouse mouth movie music never night noise north novel nurse "
    "ocean offer often order paint panel paper party peace phase phone photo piece pilot pitch "
    "plain plane plant plate point pound power press price pride prime print prior prize proof "
    "proud prove queen quick quiet quite radio raise range rapid reach ready refer right river "
    "hello there dear thanks small medium best judgement overall available working experiments",
)
