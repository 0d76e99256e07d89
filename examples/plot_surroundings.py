"""
What a bond angle of 144 degrees looks like
===========================================

The properties that the models predict are those of one atom and its surroundings: bonds, the angle
between them, and the Voronoi cell. Here they are drawn, first of alpha-quartz.
"""

# %%
# Alpha-quartz
# ------------
# The oxygen atom with the blue ring absorbs. The plane of the picture is that of its two bonds to
# silicon, so that the lengths and the angle are the true ones. Each silicon atom has four oxygen
# neighbours, a tetrahedron; atoms behind the plane fade. The Voronoi cell (blue) is the space that
# is nearer to the absorbing atom than to any other; dashed edges are at its back.
from hyperspy_coreloss.data import oxygen_k_foreign, oxygen_k_sites
from hyperspy_coreloss.dataset import find_sites, plot_surroundings, typical_sites

sites = oxygen_k_sites()
quartz = find_sites(sites, "alpha-quartz").sites[0]
figure = plot_surroundings(quartz)

# %%
# Each kind of structure
# ----------------------
# The most usual site of each population, whose labels are nearest to the medians. Beneath are the
# labels that the models are trained on: mean bond length d, mean bond angle θ, Voronoi volume V.
figure = plot_surroundings(typical_sites(sites).sites)

# %%
# Small and large angles
# ----------------------
# The angle varies from crystal to crystal and inside a glass: here are the smallest and the largest
# of the glass, a silanol group, whose bond to hydrogen does not count in the bond length, a broken
# bond, and stishovite, where oxygen has three bonds.
two = [site for site in sites.sites if site.details["coordination"] == 2]
glass = sorted(
    (site for site in two if site.population == "glass"), key=lambda site: site.labels["bond_angle"]
)
silanol = next(
    site for site in two if site.population == "silanol" and site.details["bonds"][0] < 1.2
)
broken = next(site for site in sites.sites if site.details["coordination"] == 1)
stishovite = find_sites(sites, "stishovite").sites[0]
figure = plot_surroundings([glass[0], glass[-1], silanol, broken, stishovite])

# %%
# Other oxides
# ------------
# The models are trained on silica only; whether they recognise that these are other surroundings is
# on the page on trust. With more than three bonds, only the bonded neighbours are drawn.
figure = plot_surroundings(oxygen_k_foreign().sites[::3])
