"""French."""

from webapp.intents.vocabulary.base import Vocabulary

VOCABULARY = Vocabulary(
    settings={
        "rounds": "tour|tours|ronde|rondes|tours de communication|rondes de communication|"
        "nombre de tours|cycles|manches",
        "clients": "client|clients|participant|participants|appareils|téléphones|nœuds|"
        "nombre de clients|machines|hôpitaux|sites|partenaires|établissements",
        "cohort": "par tour|à chaque tour|chaque tour|dont|parmi eux|à la fois|par ronde|"
        "à chaque ronde|d'entre eux|simultanément|d'entre elles|à chaque fois|en même temps",
        "sampling.fraction": "fraction de clients|fraction des clients|taux de participation|"
        "taux d'échantillonnage|proportion de clients",
        "local.epochs": "époque|époques|époques locales|époque locale|passes|passes locales|"
        "passages locaux",
        "local.steps": "étapes locales|étapes|pas locaux|itérations locales|pas de gradient",
        "local.batch_size": "taille de lot|lot|lots|taille de lots|taille des lots|lots de|"
        "taille du lot|taille de batch|mini lots de|mini lots|tailles de lot|paquets de|batchs de|"
        "taille du batch",
        "local.lr": "taux d'apprentissage|pas d'apprentissage|taux local|"
        "taux d'apprentissage local|"
        "taux d'apprentissage des clients|vitesse d'apprentissage",
        "local.momentum": "momentum|moment|inertie",
        "local.weight_decay": "dégradation des poids|décroissance des poids|pénalité L2|"
        "régularisation L2|déclin des poids",
        "algorithm.server_lr": "taux d'apprentissage du serveur|taux du serveur|"
        "taux d'apprentissage global|taux d'apprentissage serveur|"
        "taux d'apprentissage côté serveur",
        "seed": "graine|graine aléatoire",
        "seeds": "graines|répétitions|graines aléatoires|graines différentes",
        "repeat": "répète|répéter|répétez|recommence",
        "times": "fois",
        "target.accuracy": "précision|exactitude|précision de test|justesse",
        "target.loss": "perte|fonction de perte|perte de test",
        "target.perplexity": "perplexité",
        "until": "jusqu'à|atteindre|atteint|atteigne|objectif|atteignions|obtenir",
        "evaluation.every": "intervalle d'évaluation",
        "evaluation.patience": "patience|évaluations sans amélioration|tests sans amélioration|"
        "évaluations sans progrès|sans amélioration|tests sans progrès",
        "system.dropout": "tombent en panne|tombe en panne|abandon|abandonnent|abandonne|"
        "taux d'abandon|pannes|panne|disparaissent|déconnexion|se déconnectent|décrochent|"
        "décroche|se déconnecte",
        "system.stragglers": "retardataires|traînards|clients lents|clients en retard|en retard",
        "field:slowdown": "fois plus lent|fois plus lents|fois plus lente|fois plus lentes",
        "field:slow_fraction": "plus lents|plus lent|sont lents|lents",
        "system.bandwidth_mbps": "débit|bande passante|connexion|liaisons|liens|réseau",
        "system.latency_s": "latence|délai de transmission",
        "runtime.deadline_s": "échéance|délai|limite de temps|date limite|temps limite|"
        "délai maximal",
        "dataset.max_train": "exemples d'entraînement|exemples|images d'entraînement|images|"
        "échantillons|échantillons d'entraînement",
        "dataset.max_test": "exemples de test|images de test",
        "share_of_data": "des données|du jeu de données|des données d'entraînement",
        "field:classes_per_client": "classes|classes par client|chiffres|étiquettes par client|"
        "classe",
        "field:bits": "bit|bits",
        "field:ratio": "des entrées|des poids|des valeurs|des coefficients|des gradients|"
        "des paramètres",
        "field:alpha": "alpha|concentration|paramètre de concentration",
        "field:mu": "mu|terme proximal|coefficient proximal",
        "field:hidden": "couches cachées|couche cachée|couches cachées de|couches de",
        "field:depth": "profondeur|couches|blocs",
        "field:patch_size": "taille de patch|taille des patchs",
        "field:max_norm": "norme|norme maximale|à la norme|une norme",
        "field:temperature": "température",
        "field:byzantine_count": "mauvais clients",
        "attackers": "attaquants|attaquant|malveillants|malveillant|byzantins|byzantin|hostiles|"
        "malicieux|adversaires|saboteurs|attaquent|attaque|pirates",
        "privacy": "confidentialité différentielle|epsilon|vie privée différentielle|"
        "agrégation sécurisée|budget de confidentialité",
        "traffic": "trafic|octets|volume de données|au total|données échangées",
    },
    values={
        "runtime.device=cuda": "carte graphique|GPU|processeur graphique",
        "runtime.device=cpu": "processeur|CPU",
        "local.optimizer=sgd": "descente de gradient stochastique",
        "evaluation.per_client=true": "sur les données de chaque client|par client aussi|"
        "évalue chaque client|tester chaque client|évaluer chaque client|sur chaque client",
        "partition.mode=power_law": "loi de puissance",
        "partition.transform=rotation": "tournées|images tournées|rotation|pivotées|"
        "tourne les images",
        "model.norm=batch": "normalisation par lot|normalisation par lots",
        "aggregation.weighting=uniform": "poids égaux|sans pondération|non pondérée|"
        "poids uniformes",
        "error_feedback=true": "rétroaction d'erreur|compensation d'erreur|retour d'erreur",
        "rounding=stochastic": "arrondi stochastique|arrondi aléatoire",
        "compress": "compression|comprime|compresser|compressé|comprimer|limite le trafic|"
        "limiter le trafic|peu de trafic|réduis le trafic|réduire le trafic|"
        "réduire les communications|trafic faible|économise la bande passante|compresse|"
        "moins de trafic|trafic réduit|trafic minimal|minimise le trafic|garde un trafic faible|"
        "le moins de trafic possible|compressés|économiser la bande passante",
    },
    operators={
        "not": "sans|pas de|pas|aucun|aucune|n utilise pas|n'utilise pas|ne|enlève|supprime la|"
        "supprime le|retire|évite|au lieu de|au lieu d'|plutôt que|remplace|jamais|ni|désactive|"
        "n'utilisez pas|à la place de|abandonne le|oublie le|oublie la",
        "correct": "non|plutôt|pardon|je veux dire|en fait|enfin non|ou plutôt|mettons|disons|"
        "finalement|désolé|mieux vaut|correction|oups|euh non|je voulais dire",
        "but": "mais",
        "versus": "contre|face à|versus|comparé à|par rapport à",
        "and": "et|ainsi que",
        "or": "ou|soit",
        "compare": "compare|comparer|comparez|comparaison|essaie|essayer|chacun|respectivement|"
        "teste|lequel est meilleur|essaye",
        "up": "envois|envoi|envoie|téléversement|montant|liaison montante|téléversements",
        "down": "téléchargement|descendant|liaison descendante|diffusion|téléchargements",
        "both": "deux sens|dans les deux sens|deux directions|dans les deux directions",
        "every": "tous les|toutes les|après chaque",
        "double": "deux fois plus de|deux fois plus|double|doubler|le double de|doublez",
        "triple": "trois fois plus de|trois fois plus|triple|tripler",
        "halve": "divise par deux|deux fois moins de|diviser par deux|deux fois moins|"
        "réduis de moitié",
        "with_without": "avec et sans|avec ou sans|sans et avec",
        "train": "entraîne|entraîner|entraînement|expérience|fédéré|fédérée|simule|apprentissage|"
        "entraînez|apprentissage fédéré|lance un entraînement|agrège",
        "command": "supprime|supprimer|efface|effacer|annule|arrête|redémarre|détruis|"
        "exécute|tue|éteins|interromps|supprimez",
        "object": "exécution|exécutions|projet|projets|utilisateurs|serveur|base de données|"
        "fichiers|comptes|compte|jobs|toutes les exécutions|utilisateur|fichier|commande|script",
        "show": "montre|donne|affiche|révèle|dis|donne moi|envoie moi|liste",
        "secret": "mot de passe|mots de passe|jeton|jetons|clé|identifiants|secret|secrets",
        "ignore": "ignore|oublie|ignorez|contourne|oubliez",
        "instructions": "instructions|consignes|règles|directives",
    },
    sections={
        "dataset": "jeu de données|données|ensemble de données|base|jeux de données",
        "partition": "répartition|partition|distribution|réparties|répartis|partage",
        "model": "modèle|réseau|architecture|modèles",
        "algorithm": "algorithme|méthode|stratégie",
        "sampling": "échantillonnage|sélection|tirage|sélection des clients",
        "aggregation": "agrégation|agrège|agréger|défense|règle|agrégés",
        "compression": "codec|gradients|messages|entrées",
        "attack": "attaques",
        "local.optimizer": "optimiseur",
        "topology": "topologie",
        "system.speed": "vitesse|vitesses",
        "peft": "ajustement fin",
    },
    units={
        "percent": "pour cent|pourcent|%|pourcents",
        "bytes:1e6": "Mo|mégaoctets|mégaoctet",
        "bytes:1e9": "Go|gigaoctets|gigaoctet",
        "bytes:1e3": "Ko|kilooctets",
        "seconds:1": "seconde|secondes",
        "seconds:60": "minute|minutes",
        "seconds:0.001": "millisecondes",
        "mbps:1": "mégabits par seconde|Mbits",
    },
    common="le la les un une des de du d l et ou avec sur pour dans par au aux en est sont que qui "
    "quoi quel quelle je tu il elle nous vous mon ton son notre votre ce cette ces chaque utilise "
    "garde fait temps demain bonjour pendant entre tous toutes quand ne n se sa ses plus moins "
    "tres aussi comme mais si leur leurs y a egal sous passe participent hasard hasards merci "
    "voudrais veux faut avoir etre faire voit moi meme encore bien autre autres peut",
)
