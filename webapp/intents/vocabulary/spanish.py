"""Spanish."""

from webapp.intents.vocabulary.base import Vocabulary

VOCABULARY = Vocabulary(
    settings={
        "rounds": (
            "ronda|rondas|rondas de comunicación|número de rondas|vueltas|ciclos|rondas globales|"
            "rondas de entrenamiento|iteraciones globales"
        ),
        "clients": "cliente|clientes|participante|participantes|dispositivos|teléfonos|nodos|"
        "número de clientes|hospitales|móviles|socios|instituciones|hospital|bancos|clínicas|"
        "dispositivo|móvil|nodo|usuarios|empresas|escuelas|sensores|organizaciones|máquinas|"
        "ordenadores|centros|sitios|coches|partes|sucursales|laboratorios|aparatos|celulares|"
        "farmacias|equipos",
        "cohort": (
            "por ronda|en cada ronda|cada ronda|de ellos|a la vez|de los cuales|al mismo tiempo|"
            "de estos|simultáneamente|de ellas|cada vez|elegidos por ronda|por vuelta|"
            "en cada vuelta"
        ),
        "sampling.fraction": (
            "fracción de clientes|fracción de los clientes|tasa de participación|"
            "proporción de clientes|tasa de muestreo|fracción|porcentaje de clientes|"
            "participación"
        ),
        "local.epochs": "época|épocas|épocas locales|época local|pasadas|pasadas locales|"
        "pasadas sobre los datos|epochs|pasada|vueltas locales",
        "local.steps": "pasos locales|pasos|iteraciones locales|pasos de gradiente",
        "local.batch_size": (
            "tamaño de lote|lote|lotes|tamaño del lote|lotes de|tamaño de batch|tamaños de lote|"
            "minilotes de|mini lotes de|tamaño de los lotes|batch|minilotes|batches de|"
            "batch size|lotes de tamaño"
        ),
        "local.lr": (
            "tasa de aprendizaje|tasas de aprendizaje|ritmo de aprendizaje|paso de aprendizaje|"
            "tasa local|velocidad de aprendizaje|tasa|tasas|learning rate|paso|tamaño de paso|lr|"
            "factor de aprendizaje|tasa de aprendizaje de"
        ),
        "local.momentum": "momento|momentum|impulso|inercia",
        "local.weight_decay": "decaimiento de pesos|decaimiento de los pesos|penalización L2|"
        "regularización L2",
        "algorithm.server_lr": "tasa de aprendizaje del servidor|tasa del servidor|"
        "tasa de aprendizaje global|tasa de aprendizaje en el servidor",
        "seed": "semilla|semilla aleatoria",
        "seeds": (
            "intentos|pruebas|"
            "semillas|repeticiones|semillas distintas|semillas diferentes|semillas aleatorias|"
            "seeds|réplicas|repeticiones independientes|semillas cada uno|semillas cada una|"
            "semillas por"
        ),
        "repeat": "repite|repetir|repítelo",
        "times": "veces",
        "target.accuracy": (
            "precisión|exactitud|acierto|aciertos|precisión de prueba|accuracy|tasa de acierto|"
            "de precisión|de exactitud"
        ),
        "target.loss": "pérdida|función de pérdida",
        "target.perplexity": "perplejidad",
        "until": (
            "hasta|alcanzar|alcance|llegue|objetivo|llegar|hasta alcanzar|logre|lograr|alcanza|"
            "alcancemos|llegue a|llegar a|llegue al|llegar al|supere|supera|superar|lleguemos|"
            "al menos|consiga|conseguir"
        ),
        "evaluation.every": "intervalo de evaluación",
        "evaluation.patience": "paciencia|evaluaciones sin mejora|pruebas sin mejora|sin mejora|"
        "evaluaciones sin mejorar|pruebas sin mejorar|sin mejorar",
        "system.dropout": (
            "se cae|se caen|abandono|abandonan|abandona|tasa de abandono|caídas|fallan|falla|"
            "desaparecen|se desconecta|se desconectan|desconexión|se pierden|se van|no responden|"
            "fallos|caída|desconectados"
        ),
        "system.stragglers": (
            "rezagados|clientes lentos|se retrasan|se retrasa|rezagado|lentos|retrasados|"
            "llegan tarde|llega tarde|tardones|van con retraso|con retraso|rezagada|rezagadas"
        ),
        "field:slowdown": "veces más lento|veces más lentos|veces más lenta|veces más lentas",
        "field:slow_fraction": "más lentos|más lento|son lentos|lentos",
        "system.bandwidth_mbps": "ancho de banda|conexión|enlaces|red de|conexiones",
        "system.latency_s": "latencia|retardo",
        "runtime.deadline_s": "plazo|límite de tiempo|fecha límite|tiempo límite|plazo máximo",
        "dataset.max_train": "ejemplos de entrenamiento|ejemplos|imágenes de entrenamiento|"
        "imágenes|muestras|muestras de entrenamiento",
        "dataset.max_test": "ejemplos de prueba|imágenes de prueba",
        "share_of_data": (
            "de los datos|del conjunto de datos|de los datos de entrenamiento|de los ejemplos|"
            "de las imágenes|de las muestras"
        ),
        "field:classes_per_client": (
            "clases|clases por cliente|dígitos|etiquetas por cliente|clase|etiquetas|cifras|"
            "categorías|clases distintas|clases diferentes|etiqueta|"
            "etiquetas distintas|categoría|dígito"
        ),
        "field:bits": "bit|bits",
        "field:ratio": (
            "de las entradas|de los pesos|de los gradientes|de los valores|de los parámetros|"
            "de las coordenadas|de los elementos|de las componentes|densidad|del gradiente"
        ),
        "field:alpha": "alfa|alpha|concentración|parámetro de concentración",
        "field:mu": "mu|término proximal|coeficiente proximal|parámetro proximal|peso proximal",
        "field:hidden": (
            "capas ocultas|capa oculta|capas ocultas de|capas de|capa oculta de|neuronas|"
            "unidades|neuronas ocultas|unidades ocultas|capa de|neuronas cada una|"
            "unidades cada una|capas intermedias"
        ),
        "field:depth": "profundidad|capas|bloques",
        "field:patch_size": "tamaño de parche|tamaño de los parches",
        "field:max_norm": "norma|norma máxima|a la norma",
        "field:temperature": "temperatura",
        "field:byzantine_count": "clientes malos",
        "attackers": (
            "atacantes|atacante|maliciosos|malicioso|bizantinos|bizantino|hostiles|adversarios|"
            "saboteadores|atacan|ataca|malintencionados|maliciosas|adversario|comprometidos|"
            "corruptos|tramposos|mienten|traidores|clientes maliciosos|malvados"
        ),
        "privacy.dp.epsilon": "épsilon|presupuesto de privacidad",
        "privacy.dp.noise_multiplier": "multiplicador de ruido",
        "privacy": "privacidad",
        "traffic": "tráfico|datos transferidos|volumen de datos|en total|bytes",
    },
    values={
        "runtime.device=cuda": "tarjeta gráfica|GPU|procesador gráfico",
        "runtime.device=cpu": "procesador|CPU",
        "local.optimizer=sgd": "descenso de gradiente estocástico|descenso estocástico",
        "evaluation.per_client=true": (
            "con los datos de cada cliente|evalúa cada cliente|en cada cliente también|"
            "evaluar cada cliente|también por cliente|en cada cliente|por cliente|"
            "evalúa por cliente|evaluado por cliente|cliente por cliente|"
            "cada cliente por separado|evaluación por cliente|precisión por cliente|"
            "exactitud por cliente|exactitud de cada cliente|individualmente"
        ),
        "partition.mode=power_law": "ley de potencias|ley de potencia",
        "partition.transform=rotation": "rotadas|imágenes rotadas|rotación|giradas|"
        "rota las imágenes|"
        "gira las imágenes",
        "model.norm=batch": "normalización por lotes",
        "aggregation.weighting=uniform": "pesos iguales|sin ponderar|no ponderada|pesos uniformes",
        "error_feedback=true": "realimentación de error|compensación de error|"
        "realimentación del error",
        "rounding=stochastic": "redondeo estocástico|redondeo aleatorio",
        "compress": (
            "compresión|comprime|comprimir|comprimido|mantén bajo el tráfico|poco tráfico|"
            "reduce el tráfico|reducir el tráfico|menos tráfico|tráfico bajo|"
            "ahorra ancho de banda|tráfico reducido|minimiza el tráfico|menos comunicación|"
            "comprimida|comprimidas|ahorrar ancho de banda|el menor tráfico posible|"
            "mantén el tráfico bajo|comprimidos|bajo tráfico|mensajes pequeños|menos bytes|"
            "limita el tráfico|mantener el tráfico bajo|con poco tráfico|comunicación reducida|"
            "poca comunicación|reduce la comunicación"
        ),
    },
    operators={
        "not": "sin|no|ningún|ninguna|no uses|no utilices|quita|quitar|elimina la|elimina el|"
        "en lugar de|en vez de|evita|cambia|reemplaza|sustituye|nunca|desactiva|prescinde de|"
        "no usar|retira|deja de usar|quítale|quite|elimina|eliminar|elimine|saca|retire|"
        "desactivar|desactive|nada de|ni|sin nada de|sin ningún|sin ninguna|no quiero|no use|"
        "no emplees|deja fuera|olvida el|olvida la|anula|apaga el|apaga la|en lugar del|"
        "en vez del|tampoco|ya no|intercambia|cambia el|cambia la",
        "correct": (
            "mejor|perdón|digo|quiero decir|mejor dicho|en realidad|más bien|corrijo|o mejor|"
            "pensándolo bien|que sean|digamos|rectifico|lo siento|no perdón|espera|corrección|"
            "me equivoqué|quise decir|o más bien|disculpa|mejor que sean|perdona|finalmente|"
            "o sea|error"
        ),
        "but": "sino",
        "versus": (
            "contra|frente a|versus|comparado con|en comparación con|frente al|vs|comparada con|"
            "respecto a|contra el|contra la"
        ),
        "and": "y|e|así como",
        "or": "o|u|bien",
        "compare": (
            "compara|comparar|comparación|prueba|probar|cada uno|respectivamente|cuál es mejor|"
            "compare|comparemos|compárame|prueba con|probemos|ensaya|cuál|va mejor|"
            "funciona mejor|es mejor|mejor entre|qué método|varía|variar|explora|estudia|"
            "enfrenta|ambos|ambas|diferencia entre|quién gana"
        ),
        "up": "subida|subidas|envíos|enlace ascendente|carga|envío",
        "down": "bajada|bajadas|descarga|descargas|enlace descendente|difusión",
        "both": "ambas direcciones|en ambas direcciones|ambos sentidos|en ambos sentidos|"
        "en los dos sentidos",
        "every": "cada|después de cada|tras cada|todos los|todas las|todos|todas",
        "double": (
            "el doble de|el doble|duplica|doble|dobla|duplicar|dos veces más|dobla el|dobla la|"
            "duplica el|duplica la|duplique|multiplica por dos|al doble|doblar"
        ),
        "triple": "el triple de|triplica|triple|triplicar|triplica el|triplica la|tres veces más|"
        "multiplica por tres|al triple|tripliquemos",
        "halve": (
            "la mitad de rondas|reduce a la mitad|divide entre dos|reducir a la mitad|a la mitad|"
            "divide por dos|dos veces menor|dos veces más pequeño|dos veces más pequeña|"
            "la mitad de la tasa|por la mitad|dos veces menos|reduce por dos"
        ),
        "with_without": "con y sin|con o sin|sin y con",
        "train": "entrena|entrenar|entrenamiento|experimento|federado|federada|simula|"
        "aprendizaje federado|aprende|entrene|agrega|entrenemos|entrenamos|entrenando|ensayo|"
        "simulación|simular|federación|experimenta|aprender|agregue|agregar|agregación|"
        "entrénalo|entrénala",
        "command": (
            "borra|borrar|elimina|eliminar|cancela|detén|reinicia|apaga|destruye|ejecuta|mata|"
            "para todas|suprime|pausa|apagar|apague|borre|elimina todos|elimina todas|reiniciar|"
            "detener el|detén todos|vacía|formatea|hackea|desinstala|borra todo"
        ),
        "object": (
            "ejecución|ejecuciones|proyecto|proyectos|usuarios|servidor|base de datos|archivos|"
            "cuentas|cuenta|trabajos|usuario|archivo|comando|script|orden|ficheros|tareas|todo|"
            "disco|sistema|máquina|contraseñas|historial|administrador"
        ),
        "show": "muestra|dime|dame|revela|enseña|imprime|lista|envíame|muéstrame|envía|enséñame|"
        "comparte",
        "secret": (
            "contraseña|contraseñas|clave|claves|credenciales|secreto|secretos|tokens|token|"
            "clave secreta|clave de api|variables de entorno"
        ),
        "ignore": "ignora|olvida|sáltate|olvídate",
        "instructions": "instrucciones|reglas|órdenes|directrices",
        "search": "encuentra|busca|buscar|encontrar|optimiza|halla",
    },
    sections={
        "dataset": "conjunto de datos|datos|base de ejemplos|conjuntos de datos",
        "partition": "reparto|partición|distribución|repartidos|repartidas|división",
        "model": "modelo|red|arquitectura|modelos",
        "algorithm": "algoritmo|método|estrategia",
        "sampling": (
            "muestreo|selección|selección de clientes|participan|participa|participar|participen|"
            "elegidos|elige|elegir|seleccionados|selecciona|toman parte|intervienen"
        ),
        "aggregation": "agregación|agregar|defensa|regla|agrega|agregados",
        "compression": "códec|gradientes|mensajes|entradas",
        "attack": "ataque|ataques|atacantes|envenenamiento",
        "local.optimizer": "optimizador",
        "topology": "topología",
        "system.speed": "velocidad|velocidades",
        "peft": "ajuste fino|ajusta|ajustar|afina|afinar|entrena solo|entrena solamente",
    },
    units={
        "percent": "por ciento|%|porciento",
        "bytes:1e6": "megabytes|megas",
        "bytes:1e9": "gigabytes|gigas",
        "seconds:1": "segundo|segundos",
        "seconds:60": "minuto|minutos",
        "seconds:0.001": "milisegundos",
        "mbps:1": "megabits por segundo",
    },
    common="el la los las un una unos unas de del al y o con en para por que quien cual cuando "
    "como es son ser esta estan yo tu me te se su sus mi nuestro este estos cada usa "
    "usar utiliza quiero quisiera hara tiempo manana buenos dias hola durante entre "
    "todos todas solo ve baje detente invierte participan lo le les mas menos muy "
    "tambien pero si ya hay hacer haz favor gracias puede igual uses use parte otra otro "
    "bien cae ver vemos visto ir va voy vamos van hace haga decir dice poder puedes "
    "pueden podría podrías podríamos querer quiere quieres querría deber debe debes "
    "deben debería saber sabe sé venir viene tomar toma poner pon pone puesto dar da doy "
    "dame encontrar encuentra tener tiene tienen tengo tenga tengan haber había hubiera "
    "dejar deja pasar pasa quedar queda pedir pide creer creo gustar gusta gustaría "
    "hablar pensar pienso buscar busco esperar entender entiendo necesitar necesito "
    "necesita necesitamos ganas idea ideas cosa cosas caso casos vez veces día días "
    "semana hora horas mundo gente persona personas pregunta preguntas respuesta punto "
    "puntos número valor valores siempre nunca a menudo todavía pronto ahora luego "
    "después entonces así también mismo misma mismos mismas demasiado bastante poco poca "
    "mucho mucha muchos muchas más casi exactamente sólo solamente únicamente justo "
    "simplemente pequeño pequeña pequeños grande grandes buen bueno buena mejor nuevo "
    "nueva rápido rápida lento simple sencillo sencilla fácil difícil fuerte débil "
    "primero primera último última otros otras cierto varios varias algún alguna algunos "
    "algo tal sobre según antes desde hacia contra salvo qué quién cuál cuáles cuyo "
    "donde sí reparte repartido repartidos repartidas repartir lanza lanzar prepara "
    "preparar configura llamado llamada hecho mitad",
)
